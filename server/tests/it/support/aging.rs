//! Time that passes in the rows instead of on the clock.

use super::test_app::TestApp;
use campus_sandbox::Endpoint;
use campus_server::session::{self, Current, Live};
use campus_server::store::sessions::SessionId;
use std::sync::Arc;
use std::time::Duration;

impl TestApp {
    /// Everybody was confirmed so long ago that a check is due, and no failed check is waiting.
    pub async fn checks_are_due(&self) {
        self.execute(
            "update users set checked_at = checked_at - interval '361 seconds',
                 check_claimed_until = null",
        )
        .await;
    }

    /// All access tokens are over, here and at the provider, and checks are due.
    pub async fn access_tokens_expire(&self) {
        self.sandbox.expire_access_tokens(None);
        self.execute("update session_tokens set access_expires_at = now() - interval '1 second'")
            .await;
        self.checks_are_due().await;
    }

    /// All access tokens still live but should be refreshed, and checks are due.
    pub async fn access_tokens_near_their_end(&self) {
        self.execute(
            "update session_tokens set obtained_at = now() - interval '59 minutes',
                 access_expires_at = now() + interval '1 minute'",
        )
        .await;
        self.checks_are_due().await;
    }

    /// The only session, as a request finds it now.
    pub async fn live(&self) -> Arc<Live> {
        let hash: Vec<u8> = sqlx::query_scalar("select token_hash from sessions")
            .fetch_one(&self.app.db)
            .await
            .unwrap();
        match session::find(&self.app, &hash.try_into().unwrap()).await.unwrap() {
            Current::Live(live) => live,
            over => panic!("no live session: {over:?}"),
        }
    }

    /// The handle of the only session.
    pub async fn session_id(&self) -> SessionId {
        let id = sqlx::query_scalar("select id from sessions").fetch_one(&self.app.db).await;
        SessionId(id.unwrap())
    }

    /// Waits until an endpoint was asked so often.
    pub async fn until_asked(&self, endpoint: Endpoint, times: u64) {
        for _ in 0..200 {
            if self.count(endpoint) >= times {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{endpoint:?} was asked {} times only", self.count(endpoint));
    }
}
