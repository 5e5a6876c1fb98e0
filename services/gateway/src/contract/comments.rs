//! The comments of the contracts, by where they stand: they are the text of the docs page and of the OpenAPI document.

use std::collections::HashMap;

use prost_reflect::{
    DescriptorPool, EnumValueDescriptor, FieldDescriptor, FileDescriptor, MessageDescriptor,
};

/// The comments of all files.
#[derive(Debug, Default)]
pub(crate) struct Comments {
    by_place: HashMap<(String, Vec<i32>), String>,
}

impl Comments {
    /// Reads the comments that stand right before what they describe.
    pub(super) fn read(pool: &DescriptorPool) -> Self {
        let mut by_place = HashMap::new();
        for file in pool.files() {
            let Some(source) = &file.file_descriptor_proto().source_code_info else { continue };
            for location in &source.location {
                let text = unfold(location.leading_comments());
                if !text.is_empty() {
                    by_place.insert((file.name().to_owned(), location.path.clone()), text);
                }
            }
        }
        Self { by_place }
    }

    /// The comment of what stands at a path of a file; empty without one.
    pub(crate) fn of(&self, file: &FileDescriptor, path: &[i32]) -> String {
        self.by_place.get(&(file.name().to_owned(), path.to_vec())).cloned().unwrap_or_default()
    }

    /// The comment of a field.
    pub(crate) fn of_field(&self, field: &FieldDescriptor) -> String {
        self.of(&field.parent_file(), field.path())
    }

    /// The comment of a message.
    pub(crate) fn of_message(&self, message: &MessageDescriptor) -> String {
        self.of(&message.parent_file(), message.path())
    }

    /// The comment of a value of an enum.
    pub(crate) fn of_value(&self, value: &EnumValueDescriptor) -> String {
        self.of(&value.parent_file(), value.path())
    }
}

/// One line from the lines of a comment: where they break is the width of the source.
fn unfold(comment: &str) -> String {
    let line = comment.split_whitespace().collect::<Vec<_>>().join(" ");
    without_sources(&line)
}

/// Leaves out in which paragraph of our own books something is founded, "(reference §1.1)": callers do not have them.
fn without_sources(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, group)) = rest.split_once('(') {
        let Some((group, after)) = group.split_once(')') else { break };
        let is_source = |part: &&str| part.starts_with("reference §") || part.starts_with("rule ");
        let kept: Vec<&str> = group.split(", ").filter(|part| !is_source(part)).collect();
        if kept.is_empty() {
            out.push_str(before.trim_end());
        } else {
            out.extend([before, "(", &kept.join(", "), ")"]);
        }
        rest = after;
    }
    out + rest
}

/// The first sentence: up to a full stop that ends a word of more than one letter.
pub(crate) fn first_sentence(comment: &str) -> &str {
    let ends = |&(at, _): &(usize, &str)| {
        let before =
            comment[..at].rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        before.chars().count() != 1
    };
    comment.match_indices(". ").find(ends).map_or(comment, |(at, _)| &comment[..=at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_left_out_and_everything_else_stays() {
        for (comment, line) in [
            ("Says (私域三角, reference §1.1)\n  more.", "Says (私域三角) more."),
            ("Follows it (rule 77). Then", "Follows it. Then"),
            ("Kind (reference §2.1).", "Kind."),
            ("A (b, c) (d", "A (b, c) (d"),
        ] {
            assert_eq!(unfold(comment), line);
        }
    }

    #[test]
    fn the_first_sentence_ends_at_a_full_stop_that_ends_a_word() {
        assert_eq!(first_sentence("Gets it. Fails with NOT_FOUND."), "Gets it.");
        assert_eq!(first_sentence("Gets, e. g. one. Two."), "Gets, e. g. one.");
        assert_eq!(first_sentence("no stop"), "no stop");
    }
}
