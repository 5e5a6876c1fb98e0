//! As whom the server runs: PostgreSQL refuses root, so root hands it to an account without rights.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use nix::unistd::{User, geteuid};

use super::ServerError;

/// The account of the server's processes.
#[derive(Debug, Clone)]
pub(super) enum Account {
    /// The account of this process.
    Own,
    /// Another one: this process is root.
    Other {
        /// Its name.
        name: String,
        /// Its user id.
        uid: u32,
        /// Its group id.
        gid: u32,
    },
}

impl Account {
    /// Ourselves, or for root `postgres`, else `nobody`.
    pub(super) fn choose() -> Result<Self, ServerError> {
        if !geteuid().is_root() {
            return Ok(Self::Own);
        }
        let lookup = |name| User::from_name(name).ok().flatten();
        let user = lookup("postgres").or_else(|| lookup("nobody")).ok_or(ServerError::NoAccount)?;
        Ok(Self::Other { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() })
    }

    /// Lets a program run as this account; the standard library drops supplementary groups, too.
    pub(super) fn apply(&self, command: &mut Command) {
        if let Self::Other { uid, gid, .. } = self {
            command.uid(*uid).gid(*gid);
        }
    }

    /// Makes a directory that is the account's alone.
    pub(super) fn private_dir(&self, path: &Path) -> Result<(), ServerError> {
        fs::create_dir_all(path).map_err(ServerError::io("create", path))?;
        let mode = fs::Permissions::from_mode(0o700);
        fs::set_permissions(path, mode).map_err(ServerError::io("protect", path))?;
        self.own(path)
    }

    /// Hands a file or directory over to the account.
    pub(super) fn own(&self, path: &Path) -> Result<(), ServerError> {
        let Self::Other { uid, gid, .. } = self else { return Ok(()) };
        chown(path, Some(*uid), Some(*gid)).map_err(ServerError::io("hand over", path))
    }

    /// Checks each directory on the way to `path`: `initdb` would only say that it cannot access the last one.
    pub(super) fn check_reach(&self, path: &Path) -> Result<(), ServerError> {
        let Self::Other { name, uid, gid } = self else { return Ok(()) };
        let ancestors: Vec<&Path> = path.ancestors().collect();
        for dir in ancestors.into_iter().rev() {
            let meta = fs::metadata(dir).map_err(ServerError::io("look at", dir))?;
            let wanted = match meta {
                ref m if m.uid() == *uid => 0o100,
                ref m if m.gid() == *gid => 0o010,
                _ => 0o001,
            };
            if meta.mode() & wanted == 0 {
                return Err(ServerError::Unreachable { blocked: dir.into(), user: name.clone() });
            }
        }
        Ok(())
    }
}
