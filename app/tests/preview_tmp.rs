#![cfg(feature = "ssr")]
mod fixture;
use campus::{reason::*, return_path::ReturnPath, role::PrimaryRole};
use campus_app::*;
use fixture::*;
#[test]
fn dump() {
    let dir = "/tmp/desk-preview";
    std::fs::create_dir_all(dir).unwrap();
    let css = std::fs::read_to_string(format!("{dir}/main.css")).unwrap_or_default();
    let w = |n: &str, c: &Chrome, p: Page| {
        let h = render(c, p);
        std::fs::write(format!("{dir}/{n}.raw.html"), &h).unwrap();
        let h =
            h.replace("<link rel=\"stylesheet\"", &format!("<style>{css}</style><link rel=\"x\""));
        std::fs::write(format!("{dir}/{n}.html"), h).unwrap();
    };
    let rib = Some(Ribbon {
        text: "Sandbox: everybody here is made up.".into(),
        href: Some("http://127.0.0.1:4000/".into()),
        link_text: "Choose a persona".into(),
    });
    let mut a = anonymous("/");
    a.ribbon = rib.clone();
    w("home-anon", &a, Page::Home);
    let mut s = student();
    s.profile.as_mut().unwrap().value.picture = Some("https://127.0.0.1:1/broken.png".into());
    let mut c = signed_in(s.clone());
    c.path = "/".into();
    w("home-in", &c, Page::Home);
    c.path = "/dashboard".into();
    c.ribbon = rib;
    w("dash", &c, Page::Dashboard(DashboardPage { now: c.now }));
    c.now = on(2027, 4);
    w("dash-rain", &c, Page::Dashboard(DashboardPage { now: c.now }));
    c.path = "/".into();
    w("home-rain", &c, Page::Home);
    c.now = on(2027, 8);
    w("home-hol", &c, Page::Home);
    let mut st = person(PrimaryRole::Staff);
    st.roles.as_mut().unwrap().value.custom.push("unit_admin".into());
    st.profile.as_mut().unwrap().value.picture = None;
    st.profile.as_mut().unwrap().value.name =
        Some("Prof. Oluwadamilola Chukwuemeka-Abubakar Ọládipọ̀ Nwachukwuemerem".into());
    let cs = signed_in(st);
    w("dash-staff", &cs, Page::Dashboard(DashboardPage { now: cs.now }));
    let cb = signed_in(bare());
    w("dash-bare", &cb, Page::Dashboard(DashboardPage { now: cb.now }));
    let ch = signed_in(hostile());
    w("dash-hostile", &ch, Page::Dashboard(DashboardPage { now: ch.now }));
    w(
        "signed-out",
        &a,
        Page::SignedOut(SignedOutPage {
            reason: Some(EndReason::SignedOut),
            provider_sign_out: false,
        }),
    );
    a.request_id = Some("01939b1c-7a55-7c10-9b1e-000000000001".into());
    w(
        "error",
        &a,
        Page::Error(ErrorPage {
            reason: Reason::FLOW_EXPIRED,
            next: ReturnPath::parse("/dashboard"),
        }),
    );
    let n = 2000;
    let t = std::time::Instant::now();
    for _ in 0..n {
        std::hint::black_box(render(&c, Page::Dashboard(DashboardPage { now: c.now })));
    }
    eprintln!("{:?} per render", t.elapsed() / n);
}
