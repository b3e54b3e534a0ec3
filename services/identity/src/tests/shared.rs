//! Two processes of this service on one database.

use super::*;
use centro_testkit::engines::{self, Kind};
use std::collections::BTreeSet;

/// Each sees the other as an owner, and takes that away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_owners_who_demote_each_other_at_once_leave_one() {
    engines::on(Kind::Postgres, async {
        let one = World::new().await;
        let two = one.another().await;
        for round in 0..6 {
            let home = one.home(&format!("acme-{round}")).await;
            let second = person("second", &[pb::Role::Owner]);
            let second = one.add(&home.owner, second).await.unwrap();
            let first = home.owner.user().unwrap().to_string();
            let demote = |id: String| {
                let user = pb::User {
                    id,
                    roles: vec![pb::Role::Agent.into()],
                    ..Default::default()
                };
                let request = pb::UpdateUserRequest {
                    user: Some(user),
                    update_mask: Some(prost_types::FieldMask {
                        paths: vec!["roles".to_owned()],
                    }),
                };
                with(&home.owner, request)
            };
            let (a, b) = tokio::join!(
                one.desk.update_user(demote(second.id.clone())),
                two.desk.update_user(demote(first))
            );
            let done = [a.is_ok(), b.is_ok()].iter().filter(|ok| **ok).count();
            assert_eq!(done, 1, "{a:?} {b:?}");
        }
    })
    .await;
}

/// The first exchange uses the token up; a second may follow within its leeway, but never one after a successor was used.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_exchanged_by_two_processes_at_once_keeps_its_rules() {
    engines::on(Kind::Postgres, async {
        let one = World::new().await;
        let two = one.another().await;
        one.home("acme").await;
        for _ in 0..6 {
            let session = one.sign_in("acme", "owner", PASSWORD).await.unwrap();
            let (old, again) = (session.refresh_token.clone(), session.refresh_token);
            let next = one.refresh(&old).await.unwrap().refresh_token;
            // The successor and the old one come at the same moment, to different processes.
            let (goes, repeats) = tokio::join!(one.refresh(&next), two.refresh(&again));
            let tokens: BTreeSet<_> = [&goes, &repeats]
                .into_iter()
                .flatten()
                .map(|session| session.refresh_token.clone())
                .collect();
            match (goes.is_ok(), repeats.is_ok()) {
                // The repeat came first: it has a successor of its own, which the use of its sibling made worthless.
                (true, true) => {
                    assert_eq!(tokens.len(), 2);
                    let spare = repeats.unwrap().refresh_token;
                    one.refresh(&spare).await.unwrap_err();
                }
                // The successor came first: the old one is stolen, and the session is over.
                (true, false) => {
                    one.refresh(&goes.unwrap().refresh_token).await.unwrap_err();
                }
                (false, _) => panic!("nobody had used the successor: {goes:?}"),
            }
        }
    })
    .await;
}
