//! What a request must look like before a method sees it. The bounds stand in the contract as options; the code that calls
//! these checks is generated.

use std::fmt;

use siyu_kernel::Violation;

/// A message whose bounds can be checked.
pub trait Shape {
    /// Appends a violation for every field out of bounds, deepest path first come first served.
    fn violations(&self, path: &Path<'_>, out: &mut Vec<Violation>);
}

impl<T: Shape> Shape for Box<T> {
    fn violations(&self, path: &Path<'_>, out: &mut Vec<Violation>) {
        self.as_ref().violations(path, out);
    }
}

/// Where a field stands, from the root of the request. It is only spelled out when something is wrong.
pub enum Path<'a> {
    /// The request itself.
    Root,
    /// A field of a message.
    Child(&'a Path<'a>, &'static str),
    /// One element of a repeated field.
    Item(&'a Path<'a>, &'static str, usize),
}

impl<'a> Path<'a> {
    /// The path of a field of this message.
    #[must_use]
    pub const fn child(&'a self, name: &'static str) -> Path<'a> {
        Path::Child(self, name)
    }

    /// The path of one element of a repeated field of this message.
    #[must_use]
    pub const fn item(&'a self, name: &'static str, index: usize) -> Path<'a> {
        Path::Item(self, name, index)
    }

    fn prefix(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Child(..) | Path::Item(..) => write!(f, "{self}."),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Child(parent, name) => {
                parent.prefix(f)?;
                f.write_str(name)
            }
            Path::Item(parent, name, index) => {
                parent.prefix(f)?;
                write!(f, "{name}[{index}]")
            }
        }
    }
}

fn refuse(out: &mut Vec<Violation>, path: &Path<'_>, description: impl Into<String>) {
    out.push(Violation { field: path.to_string(), description: description.into() });
}

pub(crate) fn present(path: &Path<'_>, is_set: bool, out: &mut Vec<Violation>) {
    if !is_set {
        refuse(out, path, "is required");
    }
}

pub(crate) fn text(
    path: &Path<'_>,
    value: &str,
    required: bool,
    max_len: u32,
    out: &mut Vec<Violation>,
) {
    if required && value.is_empty() {
        refuse(out, path, "is required");
    }
    if value.len() > max_len as usize {
        refuse(out, path, format!("must have at most {max_len} bytes, has {}", value.len()));
    }
    if value.contains('\0') {
        refuse(out, path, "must not hold a NUL character");
    }
}

pub(crate) fn list(
    path: &Path<'_>,
    len: usize,
    required: bool,
    max: u32,
    out: &mut Vec<Violation>,
) {
    if required && len == 0 {
        refuse(out, path, "must not be empty");
    }
    if len > max as usize {
        refuse(out, path, format!("must have at most {max} elements, has {len}"));
    }
}

pub(crate) fn number(
    path: &Path<'_>,
    value: Option<i64>,
    required: bool,
    min: Option<i64>,
    max: Option<i64>,
    out: &mut Vec<Violation>,
) {
    if required && value.is_none_or(|v| v == 0) {
        refuse(out, path, "is required");
        return;
    }
    let Some(value) = value else { return };
    match (min, max) {
        (Some(min), _) if value < min => refuse(out, path, format!("must be at least {min}")),
        (_, Some(max)) if value > max => refuse(out, path, format!("must be at most {max}")),
        _ => {}
    }
}
