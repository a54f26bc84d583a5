//! The people every sandbox starts with, and their avatars.

use serde_json::Map;

use crate::persona::{Academic, Persona};

/// An invented but fixed day, so that `updated_at` does not differ between two fresh sandboxes.
const ENROLLED: i64 = 1_757_322_000;

struct Entry {
    id: &'static str,
    name: &'static str,
    description: &'static str,
    mailbox: &'static str,
    role: &'static str,
    roles: &'static [&'static str],
    custom_roles: &'static [&'static str],
    academic: Option<(u16, bool, &'static str, &'static str)>,
}

const ENTRIES: &[Entry] = &[
    Entry {
        id: "user_aisha",
        name: "Aisha Mohammed",
        description: "Student, 300 level, Computer Science",
        mailbox: "256240001",
        role: "student",
        roles: &[],
        custom_roles: &[],
        academic: Some((300, false, "fac_computing", "dept_cs")),
    },
    Entry {
        id: "user_chinedu",
        name: "Chinedu Okafor",
        description: "Final-year student and mentor, Civil Engineering",
        mailbox: "236240017",
        role: "student",
        roles: &["mentor"],
        custom_roles: &[],
        academic: Some((500, true, "fac_eng", "dept_civil")),
    },
    Entry {
        id: "user_zainab",
        name: "Zainab Bello",
        description: "Student with the custom role editor",
        mailbox: "266240112",
        role: "student",
        roles: &[],
        custom_roles: &["editor"],
        academic: Some((200, false, "fac_arts", "dept_mass_comm")),
    },
    Entry {
        id: "user_tunde",
        name: "Tunde Adeyemi",
        description: "Student with the custom role moderator",
        mailbox: "266240045",
        role: "student",
        roles: &[],
        custom_roles: &["moderator"],
        academic: Some((100, false, "fac_law", "dept_law")),
    },
    Entry {
        id: "user_ngozi",
        name: "Ngozi Eze",
        description: "Staff, unit admin and editor",
        mailbox: "ngozi.eze",
        role: "staff",
        roles: &[],
        custom_roles: &["unit_admin", "editor"],
        academic: None,
    },
    Entry {
        id: "user_bello",
        name: "Bello Ibrahim",
        description: "Platform admin, not a unit admin",
        mailbox: "bello.ibrahim",
        role: "admin",
        roles: &[],
        custom_roles: &[],
        academic: None,
    },
    Entry {
        id: "user_ifeoma",
        name: "Ifeoma Nwosu",
        description: "Lecturer, no custom role",
        mailbox: "ifeoma.nwosu",
        role: "staff",
        roles: &[],
        custom_roles: &[],
        academic: None,
    },
];

/// The people as they are before anyone changes them.
pub(crate) fn personas() -> Vec<Persona> {
    ENTRIES.iter().enumerate().map(|(index, entry)| persona(index, entry)).collect()
}

fn persona(index: usize, entry: &Entry) -> Persona {
    let owned = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
    Persona {
        id: entry.id.to_owned(),
        name: entry.name.to_owned(),
        description: entry.description.to_owned(),
        email: format!("{}@nileuniversity.edu.ng", entry.mailbox),
        email_verified: true,
        avatar: entry.id == "user_aisha",
        phone_number: Some(format!("+234803555{:04}", index + 101)),
        role: entry.role.to_owned(),
        roles: owned(entry.roles),
        custom_roles: owned(entry.custom_roles),
        academic: entry.academic.map(|(level, final_year, faculty, department)| Academic {
            student_id: entry.mailbox.to_owned(),
            study_level: "undergraduate".to_owned(),
            level,
            final_year,
            faculty_id: faculty.to_owned(),
            department_id: department.to_owned(),
        }),
        extra: Map::new(),
        updated_at: ENROLLED,
    }
}

/// A small drawing with the person's initials.
pub(crate) fn avatar(person: &Persona) -> String {
    let initials: String = person
        .name
        .split_whitespace()
        .filter_map(|part| part.chars().next())
        .filter(|c| c.is_alphanumeric())
        .take(2)
        .collect();
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="96" height="96" viewBox="0 0 96 96"><rect width="96" height="96" rx="48" fill="#0b5d4b"/><text x="48" y="60" font-family="sans-serif" font-size="36" text-anchor="middle" fill="#fff">{initials}</text></svg>"##
    )
}
