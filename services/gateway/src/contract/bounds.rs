//! The bounds of a field, from its `siyu.type.v1.shape` option. The services enforce them; the gateway only tells them.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind};

/// What a text holds where nothing else is said; the generated checks have the same default.
const TEXT_BYTES: u32 = 256;
/// What a list holds where nothing else is said.
const LIST_ITEMS: u32 = 1000;

/// What a field may hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// It must be set.
    pub required: bool,
    /// The longest text in bytes; `None` for what is no text.
    pub text_max: Option<u32>,
    /// The longest list; `None` for what is no list.
    pub list_max: Option<u32>,
    /// The smallest number.
    pub min: Option<i64>,
    /// The largest number.
    pub max: Option<i64>,
}

impl Bounds {
    /// Reads the option of a field.
    pub(crate) fn of(field: &FieldDescriptor) -> Self {
        let is_text = matches!(field.kind(), Kind::String);
        let mut bounds = Self {
            text_max: is_text.then_some(TEXT_BYTES),
            list_max: field.is_list().then_some(LIST_ITEMS),
            ..Self::default()
        };
        let pool = field.parent_pool();
        let Some(extension) = pool.get_extension_by_name("siyu.type.v1.shape") else {
            return bounds;
        };
        let options = field.options();
        if let Some(shape) = options.get_extension(&extension).as_message() {
            bounds.read(shape);
        }
        bounds
    }

    fn read(&mut self, shape: &DynamicMessage) {
        let number = |name: &str| {
            let value = shape.has_field_by_name(name).then(|| shape.get_field_by_name(name))??;
            value.as_i64().or_else(|| value.as_u32().map(i64::from))
        };
        let size = |name: &str| number(name).and_then(|n| u32::try_from(n).ok());
        self.required =
            shape.get_field_by_name("required").and_then(|v| v.as_bool()).unwrap_or(false);
        self.text_max = self.text_max.map(|default| size("max_len").unwrap_or(default));
        self.list_max = self.list_max.map(|default| size("max_items").unwrap_or(default));
        self.min = number("min");
        self.max = number("max");
    }

    /// The bounds in words, for people: "at most 120 bytes". What holds for every field goes without saying.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if let Some(max) = self.list_max.filter(|&max| max != LIST_ITEMS) {
            words.push(format!("at most {max} elements"));
        }
        if let Some(max) = self.text_max.filter(|&max| max != TEXT_BYTES) {
            let each = if self.list_max.is_some() { " each" } else { "" };
            words.push(format!("at most {max} bytes{each}"));
        }
        match (self.min, self.max) {
            (Some(min), Some(max)) => words.push(format!("{min} to {max}")),
            (Some(min), None) => words.push(format!("at least {min}")),
            (None, Some(max)) => words.push(format!("at most {max}")),
            (None, None) => {}
        }
        words
    }
}
