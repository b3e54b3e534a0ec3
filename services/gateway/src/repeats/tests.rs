//! Two gateways on one store.

use super::*;
use centro_bus::LocalBus;
use centro_cluster::{Epoch, LocalOwnership};
use centro_contract::{Basis, Keys};
use centro_kernel::{TenantId, TestClock, Timestamp, UserId};
use centro_node::{Lifecycle, NodeBuilder, Records};
use centro_store::Limits;
use centro_testkit::engines::{self, on_both_engines};

async fn gateway(name: &str, records: &Records, clock: &TestClock) -> Repeats {
    let node = NodeBuilder {
        name: name.to_owned(),
        bus: Arc::new(LocalBus::default()),
        clock: Arc::new(clock.clone()),
        ownership: Arc::new(LocalOwnership::new(Epoch(1))),
        keys: Keys::new(&[7; 32]),
        data: "unused".into(),
        records: records.clone(),
        arbiters: Vec::new(),
        lifecycle: Lifecycle::default(),
    };
    Repeats::open(&node.build()).await.unwrap()
}

fn caller(now: Timestamp) -> Verified {
    Verified {
        principal: Principal::User {
            tenant: TenantId::from_u128(1),
            user: UserId::from_u128(2),
            roles: Vec::new(),
        },
        since: now,
        until: now,
        basis: Basis::default(),
    }
}

#[on_both_engines]
async fn a_repeat_that_reaches_another_gateway_asks_nobody_twice() {
    let data = tempfile::tempdir().unwrap();
    let url = engines::records().await;
    let records = Records::at(&url, data.path(), Limits::default()).unwrap();
    let clock = TestClock::at(Timestamp::from_millis(1_790_000_000_000));
    let one = gateway("one", &records, &clock).await;
    let two = gateway("two", &records, &clock).await;
    let caller = caller(clock.now());
    let asked = |key: &'static str| Keyed {
        caller: &caller,
        method: "/centro.test/Make",
        key,
        parts: [b"/things", b"", b"{}"],
    };
    let reason = |problem: Result<Begun, Problem>| match problem {
        Err(problem) => problem.code().to_owned(),
        Ok(_) => "granted".to_owned(),
    };

    let Ok(Begun::First(ticket)) = one.begin(&asked("a")).await else {
        panic!("it is the first");
    };
    assert_eq!(reason(two.begin(&asked("a")).await), "idempotency_running");
    ticket.end(&Ok(Bytes::from_static(b"made"))).await;
    match two.begin(&asked("a")).await {
        Ok(Begun::Again(reply)) => assert_eq!(reply, "made"),
        _ => panic!("it has the first answer"),
    }

    // One dies with a call under way.
    let Ok(Begun::First(ticket)) = one.begin(&asked("b")).await else {
        panic!("it is the first");
    };
    drop(ticket);
    assert_eq!(reason(two.begin(&asked("b")).await), "idempotency_running");
    clock.advance(UNDER_WAY);
    let unknown = "idempotency_outcome_unknown";
    assert_eq!(reason(two.begin(&asked("b")).await), unknown);
}
