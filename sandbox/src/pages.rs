//! The pages a person meets on the way to an application, as plain HTML.

use crate::persona::Persona;

/// Text made safe for HTML, in content and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

/// A whole page around its main part.
pub(crate) fn layout(title: &str, main: &str) -> String {
    let title = escape(title);
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Sandbox Campus One</title>
<link rel="stylesheet" href="/sandbox/style.css">
</head>
<body>
<header><p>Sandbox Campus One <span>for development, nobody here is real</span></p></header>
<main>
<h1>{title}</h1>
{main}
</main>
</body>
</html>
"#
    )
}

/// The page where one chooses whom to be.
pub(crate) fn sign_in(people: &[Persona], client: Option<&str>, hint: &str, query: &str) -> String {
    let purpose = match client {
        Some(client) => format!("<p>to continue to <strong>{}</strong></p>", escape(client)),
        None => String::new(),
    };
    let choices: String = people.iter().map(|person| choice(person, hint)).collect();
    let query = escape(query);
    layout(
        "Sign in",
        &format!(
            r#"{purpose}
<form method="post" action="/sign-in">
<input type="hidden" name="query" value="{query}">
<ul class="people">
{choices}</ul>
</form>"#
        ),
    )
}

fn choice(person: &Persona, hint: &str) -> String {
    let hinted = !hint.is_empty() && (hint == person.email || hint == person.id);
    let focus = if hinted { " autofocus class=\"hinted\"" } else { "" };
    let id = escape(&person.id);
    let name = escape(&person.name);
    let description = escape(&person.description);
    let email = escape(&person.email);
    format!(
        r#"<li><button name="person" value="{id}" aria-describedby="about-{id}"{focus}>{name}</button>
<span id="about-{id}">{description}<br>{email}</span></li>
"#
    )
}

/// The page that asks whether an application may know.
pub(crate) fn consent(person: &str, client: &str, scopes: &[String], code: &str) -> String {
    let person = escape(person);
    let client = escape(client);
    let code = escape(code);
    let list: String =
        scopes.iter().map(|scope| format!("<li>{}</li>\n", escape(meaning(scope)))).collect();
    layout(
        "Allow access",
        &format!(
            r#"<p><strong>{client}</strong> would like to use the Campus One account of <strong>{person}</strong>:</p>
<ul>
{list}</ul>
<form method="post" action="/consent">
<input type="hidden" name="consent_code" value="{code}">
<p class="actions">
<button name="decision" value="allow">Allow</button>
<button name="decision" value="deny" class="quiet">Deny</button>
</p>
</form>"#
        ),
    )
}

fn meaning(scope: &str) -> &str {
    match scope {
        "openid" => "Know that it is you",
        "profile" => "See your name, picture and telephone number",
        "email" => "See your e-mail address",
        "offline_access" => "Stay connected while you are away",
        "academic" => "See your academic standing",
        "calendar" => "Read your timetable",
        "notifications" => "Send you notifications",
        "roles" => "See all of your roles",
        other => other,
    }
}

/// The page for a request that cannot be sent back to anyone.
pub(crate) fn refusal(reason: &str) -> String {
    let reason = escape(reason);
    layout("This request cannot be answered", &format!("<p role=\"alert\">{reason}</p>"))
}
