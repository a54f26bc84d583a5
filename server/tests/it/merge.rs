//! How claims are merged into the users table: by freshness, group by group, keyed by the subject.

use crate::support::TestDatabase;
use campus::claims::Claims;
use campus::instant::Instant;
use campus::person::{Academic, Identity, PersonId, Profile, Source};
use campus::role::{PrimaryRole, Roles};
use campus_server::store::users::{Learned, merge};
use sqlx::PgPool;

fn identity(subject: &str) -> Identity {
    Identity {
        provider: "campus-one".to_owned(),
        issuer: "https://auth.campusone.com.ng".to_owned(),
        subject: subject.to_owned(),
    }
}

fn profile(name: &str) -> Option<Profile> {
    let email = Some("shared@nileuniversity.edu.ng".to_owned());
    Some(Profile { name: Some(name.to_owned()), email, ..Profile::default() })
}

fn roles(primary: PrimaryRole, custom: &[&str]) -> Option<Roles> {
    let custom: Vec<String> = custom.iter().map(|&role| role.to_owned()).collect();
    Some(Roles { primary: Some(primary), all: custom.clone(), custom })
}

fn academic(level: i32) -> Option<Academic> {
    Some(Academic { level: Some(level), ..Academic::default() })
}

async fn learn(db: &PgPool, identity: &Identity, claims: &Claims, seconds: i64) -> PersonId {
    let as_of = Instant::from_seconds(seconds);
    let learned = Learned { identity, claims, as_of, source: Source::Userinfo };
    let mut connection = db.acquire().await.unwrap();
    merge(&mut connection, &learned, as_of).await.unwrap()
}

async fn row(db: &PgPool) -> (Option<String>, Option<String>, Option<i32>) {
    sqlx::query_as("select name, role, level from users").fetch_one(db).await.unwrap()
}

#[tokio::test]
async fn an_older_fact_never_overwrites_a_newer_one_in_any_group() {
    let database = TestDatabase::create(None).await;
    let (db, who) = (database.pool().await, identity("user_a"));
    let old = Claims {
        profile: profile("Old"),
        roles: roles(PrimaryRole::Staff, &["unit_admin"]),
        academic: academic(100),
        dropped: Vec::new(),
    };
    let new = Claims {
        profile: profile("New"),
        roles: roles(PrimaryRole::Student, &[]),
        academic: academic(200),
        dropped: Vec::new(),
    };
    let first = learn(&db, &who, &new, 2000).await;
    let second = learn(&db, &who, &old, 1000).await;
    assert_eq!(first, second, "one person, one row");
    let expected = (Some("New".to_owned()), Some("student".to_owned()), Some(200));
    assert_eq!(row(&db).await, expected);
    let custom: Vec<String> =
        sqlx::query_scalar("select custom_roles from users").fetch_one(&db).await.unwrap();
    assert!(custom.is_empty(), "a lost role must not come back: {custom:?}");
}

#[tokio::test]
async fn each_group_has_its_own_freshness() {
    let database = TestDatabase::create(None).await;
    let (db, who) = (database.pool().await, identity("user_a"));
    let only_roles = |primary| Claims { roles: roles(primary, &[]), ..Claims::default() };
    let only_profile = |name| Claims { profile: profile(name), ..Claims::default() };
    learn(&db, &who, &only_roles(PrimaryRole::Student), 3000).await;
    learn(&db, &who, &only_profile("Early"), 1000).await;
    learn(&db, &who, &Claims { academic: academic(400), ..only_roles(PrimaryRole::Staff) }, 2000)
        .await;
    let expected = (Some("Early".to_owned()), Some("student".to_owned()), Some(400));
    assert_eq!(row(&db).await, expected);
}

#[tokio::test]
async fn a_group_that_is_not_mentioned_stays_and_one_that_is_empty_does_not() {
    let database = TestDatabase::create(None).await;
    let (db, who) = (database.pool().await, identity("user_a"));
    let all = Claims {
        profile: profile("Name"),
        roles: roles(PrimaryRole::Student, &["editor"]),
        academic: academic(300),
        dropped: Vec::new(),
    };
    learn(&db, &who, &all, 1000).await;
    learn(&db, &who, &Claims::default(), 2000).await;
    let kept = (Some("Name".to_owned()), Some("student".to_owned()), Some(300));
    assert_eq!(row(&db).await, kept, "silence changes nothing");
    let emptied = Claims { roles: Some(Roles::default()), ..Claims::default() };
    learn(&db, &who, &emptied, 3000).await;
    assert_eq!(row(&db).await, (Some("Name".to_owned()), None, Some(300)));
}

#[tokio::test]
async fn of_two_facts_of_the_same_instant_the_later_arrival_stands() {
    let database = TestDatabase::create(None).await;
    let (db, who) = (database.pool().await, identity("user_a"));
    for name in ["First", "Correction"] {
        learn(&db, &who, &Claims { profile: profile(name), ..Claims::default() }, 1000).await;
    }
    assert_eq!(row(&db).await.0.as_deref(), Some("Correction"));
}

#[tokio::test]
async fn a_person_is_provider_issuer_and_subject_and_never_an_address() {
    let database = TestDatabase::create(None).await;
    let db = database.pool().await;
    let claims = Claims { profile: profile("Somebody"), ..Claims::default() };
    let other_issuer =
        Identity { issuer: "https://other.example".to_owned(), ..identity("user_a") };
    let other_provider = Identity { provider: "ssojet".to_owned(), ..identity("user_a") };
    let mut people = Vec::new();
    for who in [identity("user_a"), identity("user_b"), other_issuer, other_provider] {
        people.push(learn(&db, &who, &claims, 1000).await.0);
    }
    people.sort_unstable();
    people.dedup();
    assert_eq!(people.len(), 4, "one address, four people");
    let held: uuid::Uuid = sqlx::query_scalar(
        "select id from users where provider = 'campus-one' and subject = 'user_a'
         and issuer = 'https://auth.campusone.com.ng'",
    )
    .fetch_one(&db)
    .await
    .unwrap();
    assert_eq!(learn(&db, &identity("user_a"), &claims, 2000).await.0, held);
}

#[tokio::test]
async fn concurrent_merges_keep_the_newest() {
    let database = TestDatabase::create(None).await;
    let db = database.pool().await;
    for round in 0..5 {
        let who = identity(&format!("user_{round}"));
        // A fixed shuffle of 1 to 40.
        let order = (1..=40_i64).map(|n| n * 17 % 41);
        futures::future::join_all(order.map(|second| {
            let (db, who) = (db.clone(), who.clone());
            async move {
                let level = i32::try_from(second).unwrap();
                let claims = Claims { academic: academic(level), ..Claims::default() };
                learn(&db, &who, &claims, second).await;
            }
        }))
        .await;
        let (rows, level): (i64, Option<i32>) =
            sqlx::query_as("select count(*), max(level) from users where subject = $1")
                .bind(&who.subject)
                .fetch_one(&db)
                .await
                .unwrap();
        assert_eq!((rows, level), (1, Some(40)));
    }
}
