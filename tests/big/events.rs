//! Identity events as platforms tell them: most are of somebody new, some of somebody who was seen before, by the same key or
//! by another one. Nobody of one block is in another, so that a part of them can be looked at alone.

use siyu_proto::member::v1::{Identity, IdentityKind};

/// Events that have to do with each other.
pub(crate) const BLOCK: usize = 100;
/// Who may come in a block.
const CROWD: u64 = 800;

/// How many events bring at least so many persons.
pub(crate) const fn enough_for(persons: usize) -> usize {
    (persons / 3 * 4).next_multiple_of(BLOCK)
}

/// The keys of an event.
pub(crate) fn event(n: usize) -> Vec<Identity> {
    let (n, block) = (n as u64, n as u64 / BLOCK as u64);
    let dice = mix(n);
    let within = n % BLOCK as u64;
    // One of seven has been here before.
    let of = if dice.is_multiple_of(7) && within > 0 { n - 1 - (dice >> 8) % within } else { n };
    let who = block * CROWD + mix(of ^ 0x5151) % CROWD;
    let mut keys = vec![key(IdentityKind::Openid, "wx1", format!("o{who}"))];
    if (dice >> 16).is_multiple_of(3) {
        keys.push(key(IdentityKind::Phone, "", format!("+8613{:09}", who / 2)));
    }
    if (dice >> 24).is_multiple_of(10) {
        keys.push(key(IdentityKind::Unionid, "wx", format!("u{}", who / 3)));
    }
    keys
}

fn key(kind: IdentityKind, scope: &str, value: String) -> Identity {
    Identity { kind: kind.into(), scope: scope.into(), value, ..Default::default() }
}

/// `SplitMix64` (Steele, Lea, Flood 2014).
fn mix(n: u64) -> u64 {
    let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
