//! The control page: everything a developer may want to turn, as forms that need no script.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::control::name;
use crate::endpoint::Endpoint;
use crate::memory::Memory;
use crate::pages::{escape, layout};
use crate::persona::Persona;

/// The page for the present state.
pub(crate) fn render(memory: &Memory, origin: &str) -> String {
    let people: String = memory.kept.personas.iter().map(|p| person(memory, p)).collect();
    let main = format!(
        "{}<h2>People</h2>\n<p><a href=\"/sign-in\">Sign in as someone</a></p>\n<div class=\"grid\">\n{people}</div>\n{}{}{}",
        provider(memory, origin),
        webhooks(memory),
        faults(memory),
        endpoints(memory),
    );
    layout("Control", &main)
}

/// The page for a command that failed.
pub(crate) fn failure(reason: &str) -> String {
    let reason = escape(reason);
    let main =
        format!("<p role=\"alert\">{reason}</p><p><a href=\"/sandbox\">Back to control</a></p>");
    layout("That did not work", &main)
}

fn provider(memory: &Memory, origin: &str) -> String {
    let issuer = escape(&memory.issuer(origin));
    let clients: String = memory
        .clients
        .iter()
        .map(|client| {
            let id = escape(&client.id);
            let (word, next) =
                if client.trusted { ("trusted", false) } else { ("asks for consent", true) };
            let verb = if next { "Trust" } else { "Stop trusting" };
            let fields = hidden("client", &client.id) + &hidden("trusted", &next.to_string());
            format!("<li>{id}: {word} {}</li>\n", form("trusted", &fields, verb))
        })
        .collect();
    let profile = select("Generation", "profile", &["gen1", "gen2"], &name(&memory.profile));
    let algorithm =
        select("Algorithm", "algorithm", &["EdDSA", "RS256", "ES256"], memory.algorithm.as_str());
    format!(
        "<h2>Provider</h2>\n<p>Issuer <code>{issuer}</code></p>\n<ul>\n{clients}</ul>\n\
         <div class=\"row\">{}{}{}{}{}</div>\n",
        form("profile", &profile, "Set generation"),
        form("algorithm", &algorithm, "Set algorithm"),
        form("rotate-keys", "", "Rotate keys"),
        form("clear-consents", "", "Clear all consents"),
        form("end-session", "", "End all sessions"),
    )
}

fn person(memory: &Memory, person: &Persona) -> String {
    let sessions = memory.kept.sessions.iter().filter(|s| s.person == person.id).count();
    let consents: Vec<_> = memory
        .kept
        .consents
        .iter()
        .filter(|consent| consent.person == person.id)
        .map(|consent| escape(&consent.client))
        .collect();
    let consents = if consents.is_empty() { "nobody".to_owned() } else { consents.join(", ") };
    let who = hidden("person", &person.id);
    let id = &person.id;
    let roles = text(id, "Primary role", "role", &person.role)
        + &text(id, "Further roles", "roles", &person.roles.join(", "))
        + &text(id, "Custom roles", "custom_roles", &person.custom_roles.join(", "))
        + &checkbox(id, "Send user.role_changed", "webhook");
    let farewell =
        who.clone() + &checkbox(&format!("{id}-bye"), "Send user.disconnected", "webhook");
    format!(
        "<section>\n<h3>{}</h3>\n<p>{}<br>Sessions: {sessions}. Connected to: {consents}.</p>\n\
         {}{}{}</section>\n",
        escape(&person.name),
        escape(&person.description),
        form("person", &(who.clone() + &roles), "Save roles"),
        form("disconnect", &farewell, "Disconnect"),
        form("end-session", &who, "End session"),
    )
}

fn webhooks(memory: &Memory) -> String {
    let url = memory.webhook_url.as_ref().map_or("", |url| url.as_str());
    let events = ["user.role_changed", "user.disconnected", "user.updated"];
    let ids: Vec<&str> = memory.kept.personas.iter().map(|p| p.id.as_str()).collect();
    let signatures = ["prefixed", "bare", "standard", "wrong", "missing"];
    let fields = select("Event", "event", &events, "user.role_changed")
        + &select("About", "person", &ids, "")
        + &select("Signature", "signature", &signatures, "prefixed");
    format!(
        "<h2>Webhooks</h2>\n<div class=\"row\">{}{}</div>\n",
        form("webhook-url", &text("webhook", "Address", "url", url), "Set address"),
        form("webhook", &fields, "Send"),
    )
}

fn faults(memory: &Memory) -> String {
    let on: String = memory
        .misbehaviours
        .list()
        .iter()
        .map(|(fault, times)| {
            let times = times.map_or("always".to_owned(), |n| format!("{n} more"));
            format!("<li><code>{}</code> {times}</li>\n", name(fault))
        })
        .collect();
    let on = if on.is_empty() {
        "<p>The sandbox behaves.</p>".to_owned()
    } else {
        format!("<ul>{on}</ul>")
    };
    let known = variants::<crate::misbehaviour::Misbehaviour>();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let fields = select("Fault", "misbehaviour", &known, "")
        + &text("fault", "Times", "times", "1")
        + &checkbox("fault", "Always", "sticky");
    format!(
        "<h2>Misbehaviour</h2>\n{on}\n<div class=\"row\">{}{}</div>\n",
        form("misbehave", &fields, "Misbehave"),
        form("behave", "", "Behave"),
    )
}

fn endpoints(memory: &Memory) -> String {
    let rows: String = Endpoint::ALL
        .iter()
        .map(|endpoint| {
            let trouble = memory.endpoints.trouble(*endpoint);
            let down = trouble.down.map_or("no".to_owned(), |down| name(&down));
            format!(
                "<tr><th scope=\"row\">{}</th><td>{}</td><td>{} ms</td><td>{down}</td><td>{}</td></tr>\n",
                name(endpoint),
                memory.endpoints.count(*endpoint),
                trouble.slow_ms,
                trouble.rate_limit,
            )
        })
        .collect();
    let names: Vec<String> = Endpoint::ALL.iter().map(name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let fields = select("Endpoint", "endpoint", &names, "")
        + &text("trouble", "Slow by (ms)", "slow_ms", "0")
        + &text("trouble", "Hold answers for (ms)", "hold_ms", "0")
        + &select("Down", "down", &["", "status", "drop"], "")
        + &text("trouble", "Next requests refused with 429", "rate_limit", "0")
        + &text("trouble", "X-Retry-After (s)", "retry_after", "0");
    format!(
        "<h2>Endpoints</h2>\n<table><caption>Requests and troubles</caption>\n<thead><tr>\
         <th scope=\"col\">Endpoint</th><th scope=\"col\">Requests</th><th scope=\"col\">Slow</th>\
         <th scope=\"col\">Down</th><th scope=\"col\">429 left</th></tr></thead>\n\
         <tbody>\n{rows}</tbody></table>\n<div class=\"row\">{}{}{}</div>\n",
        form("trouble", &fields, "Set trouble"),
        form("reset-counts", "", "Reset counters"),
        form("expire-access-tokens", "", "Expire all access tokens"),
    )
}

/// The names of an enum's variants, as serde lists them when it meets an unknown one.
fn variants<T: DeserializeOwned + Serialize>() -> Vec<String> {
    let complaint = match serde_json::from_str::<T>("\"\"") {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    // "unknown variant ``, expected one of `a`, `b` …": every second piece after the first is a name.
    complaint.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

fn form(command: &str, fields: &str, button: &str) -> String {
    format!(
        "<form method=\"post\" action=\"/sandbox/do/{command}\">{fields}<button>{button}</button></form>\n"
    )
}

fn hidden(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value))
}

fn text(scope: &str, label: &str, name: &str, value: &str) -> String {
    let (id, value) = (format!("{}-{name}", escape(scope)), escape(value));
    format!(
        "<label for=\"{id}\">{label}</label><input id=\"{id}\" name=\"{name}\" value=\"{value}\">"
    )
}

fn checkbox(scope: &str, label: &str, name: &str) -> String {
    let id = format!("{}-{name}", escape(scope));
    format!(
        "<span class=\"check\"><input type=\"checkbox\" id=\"{id}\" name=\"{name}\" value=\"true\">\
         <label for=\"{id}\">{label}</label></span>"
    )
}

fn select(label: &str, name: &str, options: &[&str], chosen: &str) -> String {
    let options: String = options
        .iter()
        .map(|option| {
            let mark = if *option == chosen { " selected" } else { "" };
            let option = escape(option);
            format!("<option value=\"{option}\"{mark}>{option}</option>")
        })
        .collect();
    format!("<label>{label} <select name=\"{name}\">{options}</select></label>")
}
