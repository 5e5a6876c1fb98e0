//! What a profile may hold, what a change of it is, and how much of it is shown. Pure.

use chrono::{Datelike, NaiveDate};
use siyu_kernel::{Fault, Violation};
use siyu_proto::member::v1::{Gender, Profile};

use crate::person::domain::{IdentityKind, is_e164, mask_address, read_email};

/// A field of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The name.
    Name,
    /// What the person likes to be called.
    Nickname,
    /// The gender.
    Gender,
    /// The birthday.
    Birthday,
    /// A phone to be called at.
    Phone,
    /// An e-mail address to be written to.
    Email,
    /// Where a picture is.
    AvatarUrl,
    /// The province.
    Province,
    /// The city.
    City,
    /// The rest of the address.
    Address,
    /// The language.
    Language,
    /// What employees want to remember.
    Remark,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Name,
        Self::Nickname,
        Self::Gender,
        Self::Birthday,
        Self::Phone,
        Self::Email,
        Self::AvatarUrl,
        Self::Province,
        Self::City,
        Self::Address,
        Self::Language,
        Self::Remark,
    ];

    /// Its name in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Nickname => "nickname",
            Self::Gender => "gender",
            Self::Birthday => "birthday",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::AvatarUrl => "avatar_url",
            Self::Province => "province",
            Self::City => "city",
            Self::Address => "address",
            Self::Language => "language",
            Self::Remark => "remark",
        }
    }

    /// The text of it; the gender has none.
    fn text(self, profile: &mut Profile) -> Option<&mut String> {
        Some(match self {
            Self::Gender => return None,
            Self::Name => &mut profile.name,
            Self::Nickname => &mut profile.nickname,
            Self::Birthday => &mut profile.birthday,
            Self::Phone => &mut profile.phone,
            Self::Email => &mut profile.email,
            Self::AvatarUrl => &mut profile.avatar_url,
            Self::Province => &mut profile.province,
            Self::City => &mut profile.city,
            Self::Address => &mut profile.address,
            Self::Language => &mut profile.language,
            Self::Remark => &mut profile.remark,
        })
    }

    /// Copies it from one profile to another.
    pub fn copy(self, from: &mut Profile, to: &mut Profile) {
        match (self.text(from), self.text(to)) {
            (Some(from), Some(to)) => to.clone_from(from),
            (_, _) => to.gender = from.gender,
        }
    }

    fn is_empty(self, profile: &mut Profile) -> bool {
        match self.text(profile) {
            Some(text) => text.is_empty(),
            None => profile.gender == Gender::Unspecified as i32,
        }
    }
}

/// Reads a change: which fields, and their values in one form.
pub fn read(profile: &Profile, mask: &[String]) -> Result<(Profile, Vec<Field>), Fault> {
    let mut new = profile.clone();
    let mut wrong = Vec::new();
    let mut fields = Vec::new();
    for path in mask {
        match Field::ALL.into_iter().find(|field| field.name() == path) {
            Some(field) => fields.push(field),
            None => wrong.push(violation("update_mask", "names a field that a profile has not")),
        }
    }
    if mask.is_empty() {
        fields = Field::ALL.into_iter().filter(|field| !field.is_empty(&mut new)).collect();
    }
    for &field in &fields {
        if let Some(problem) = check(field, &mut new) {
            wrong.push(violation(&format!("profile.{}", field.name()), problem));
        }
    }
    if wrong.is_empty() { Ok((new, fields)) } else { Err(Fault::invalid(wrong)) }
}

fn violation(field: &str, description: &str) -> Violation {
    Violation { field: field.to_owned(), description: description.to_owned() }
}

fn check(field: Field, profile: &mut Profile) -> Option<&'static str> {
    if field.is_empty(profile) {
        return None;
    }
    match field {
        Field::Gender => Gender::try_from(profile.gender).err().map(|_| "is not a known value"),
        Field::Birthday if birthday(&profile.birthday).is_none() => {
            Some("must be a day like 1990-05-17, or --05-17 without the year")
        }
        Field::Phone if !is_e164(&profile.phone) => {
            Some("must be a phone number in E.164 like +8613800138000")
        }
        Field::Email => match read_email(&profile.email) {
            Some(email) => {
                profile.email = email;
                None
            }
            None => Some("must be an e-mail address"),
        },
        Field::AvatarUrl
            if !["https://", "http://"].iter().any(|s| profile.avatar_url.starts_with(s)) =>
        {
            Some("must be an http or https URL")
        }
        Field::Language
            if !profile.language.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') =>
        {
            Some("must be a language tag like zh-CN")
        }
        Field::Name
        | Field::Nickname
        | Field::Birthday
        | Field::Phone
        | Field::AvatarUrl
        | Field::Province
        | Field::City
        | Field::Address
        | Field::Language
        | Field::Remark => None,
    }
}

/// The month and the day of a birthday, with or without its year.
pub fn birthday(text: &str) -> Option<(u32, u32)> {
    // 29 February is somebody's birthday: a year that has one stands in for the year that is not known.
    let whole = match text.strip_prefix("--") {
        Some(day) => format!("2000-{day}"),
        None => text.to_owned(),
    };
    let date = (whole.len() == 10).then(|| whole.parse::<NaiveDate>().ok()).flatten()?;
    (1900..=2999).contains(&date.year()).then_some((date.month(), date.day()))
}

/// Puts the fields of a change into a profile.
pub fn apply(known: &mut Profile, mut new: Profile, fields: &[Field]) {
    for field in fields {
        field.copy(&mut new, known);
    }
}

/// Fills what is empty from what was known before.
pub fn fill(known: &mut Profile, older: &Profile) {
    let mut older = older.clone();
    for field in Field::ALL {
        if field.is_empty(known) {
            field.copy(&mut older, known);
        }
    }
}

/// The profile as it may be shown to whoever may see persons.
pub fn masked(mut profile: Profile) -> Profile {
    let hidden = |text: &str| if text.is_empty() { String::new() } else { "***".to_owned() };
    profile.name = match profile.name.chars().next() {
        Some(first) => format!("{first}**"),
        None => String::new(),
    };
    profile.birthday = match birthday(&profile.birthday) {
        Some((month, _)) => format!("****-{month:02}-**"),
        None => String::new(),
    };
    if !profile.phone.is_empty() {
        profile.phone = mask_address(IdentityKind::Phone, &profile.phone);
    }
    if !profile.email.is_empty() {
        profile.email = mask_address(IdentityKind::Email, &profile.email);
    }
    profile.address = hidden(&profile.address);
    profile
}

#[cfg(test)]
mod tests;
