//! Notices: what a unit tells the people it serves.

use crate::instant::Instant;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The key of a notice's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NoticeId(pub Uuid);

/// A notice as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The row's key.
    pub id: NoticeId,
    /// One line.
    pub title: String,
    /// The text; lines end with `\n`.
    pub body: String,
    /// When it was written.
    pub created: Instant,
}

/// Longest title, in characters.
pub const LONGEST_TITLE: usize = 200;
/// Longest text, in characters.
pub const LONGEST_BODY: usize = 20_000;

/// A field that cannot be taken as it is, and why, in words for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldFault {
    /// The field's name.
    pub field: &'static str,
    /// What is wrong with it.
    pub text: &'static str,
}

/// What somebody wrote, checked and not yet kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    title: String,
    body: String,
}

impl Draft {
    /// Takes what was sent; `None` stands for a field that is absent. Space around both is dropped, and a
    /// form's line ends (`\r\n`, WHATWG HTML §4.10.21.8) become `\n`.
    ///
    /// # Errors
    /// Every field that cannot be taken.
    pub fn parse(title: Option<&str>, body: Option<&str>) -> Result<Self, Vec<FieldFault>> {
        let title = text(title, LONGEST_TITLE, "must have at most 200 characters", &['\t']);
        let body = text(body, LONGEST_BODY, "must have at most 20,000 characters", &['\n', '\t']);
        match (title, body) {
            (Ok(title), Ok(body)) => Ok(Self { title, body }),
            (title, body) => {
                let title = title.err().map(|text| FieldFault { field: "title", text });
                let body = body.err().map(|text| FieldFault { field: "body", text });
                Err(title.into_iter().chain(body).collect())
            }
        }
    }

    /// One line of 1 to 200 characters.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// 1 to 20,000 characters.
    pub fn body(&self) -> &str {
        &self.body
    }
}

/// A field's text without the space around it, or what is wrong with it.
fn text(
    sent: Option<&str>,
    longest: usize,
    too_long: &'static str,
    allowed: &[char],
) -> Result<String, &'static str> {
    let sent = sent.ok_or("is missing")?;
    let text = sent.replace("\r\n", "\n").trim().to_owned();
    if text.is_empty() {
        Err("must not be empty")
    } else if text.chars().count() > longest {
        Err(too_long)
    } else if text.chars().any(|c| c.is_control() && !allowed.contains(&c)) {
        Err("must not contain control characters")
    } else {
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(title: Option<&str>, body: Option<&str>) -> Vec<(&'static str, &'static str)> {
        let faults = Draft::parse(title, body).err().unwrap_or_default();
        faults.into_iter().map(|fault| (fault.field, fault.text)).collect()
    }

    #[test]
    fn a_draft_is_taken_without_the_space_around_it() {
        let draft = Draft::parse(Some("  Exams\tmoved "), Some("\r\nTo Monday.\r\n\tHall 2\r\n"));
        let draft = draft.ok().map(|draft| (draft.title, draft.body));
        assert_eq!(draft, Some(("Exams\tmoved".into(), "To Monday.\n\tHall 2".into())));
    }

    #[test]
    fn lengths_are_counted_in_characters_after_trimming() {
        let (title, body) = ("ọ".repeat(LONGEST_TITLE), "ẹ".repeat(LONGEST_BODY));
        assert!(Draft::parse(Some(&format!(" {title} ")), Some(&format!("{body}\n"))).is_ok());
        let longer = faults(Some(&format!("{title}x")), Some(&format!("{body}x")));
        let expected = [
            ("title", "must have at most 200 characters"),
            ("body", "must have at most 20,000 characters"),
        ];
        assert_eq!(longer, expected);
    }

    #[test]
    fn every_faulty_field_is_named() {
        let control = "must not contain control characters";
        for (title, body, expected) in [
            (None, None, vec![("title", "is missing"), ("body", "is missing")]),
            (Some(" \n"), Some("x"), vec![("title", "must not be empty")]),
            (Some("a\nb"), Some("x"), vec![("title", control)]),
            (Some("a\u{1b}[2J"), Some("x\0"), vec![("title", control), ("body", control)]),
            (Some("a"), Some("one\rtwo"), vec![("body", control)]),
            (Some("a"), Some("b"), vec![]),
        ] {
            assert_eq!(faults(title, body), expected, "{title:?} {body:?}");
        }
    }
}
