//! A start that cannot succeed says why, soon, and what to do.

use super::support::{LIMIT, all, event, settings, shared, take};
use centro_bus::{CloudEvents, EventBus, RabbitBus, RabbitError, RabbitSettings};
use centro_kernel::TenantId;
use centro_testkit::{
    engines::{Engine, RabbitMq},
    free_port,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

async fn refusal(settings: RabbitSettings) -> RabbitError {
    let connected = RabbitBus::connect(settings, Arc::new(CloudEvents)).await;
    connected.err().expect("it connected")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_named_and_not_told() {
    let broker = shared().await;
    let error = refusal(RabbitSettings {
        url: broker.url_of("guest", "hunter2"),
        // Waiting does not make a password right.
        start_patience: LIMIT,
        ..settings(&broker)
    })
    .await;
    assert!(
        matches!(&error, RabbitError::Refused { user, .. } if user == "guest"),
        "{error:?}"
    );
    let text = format!("{error} {error:?}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vhost_that_is_not_there_is_named() {
    let broker = shared().await;
    let error = refusal(RabbitSettings {
        url: broker.url().replace("%2f", "nowhere"),
        ..settings(&broker)
    })
    .await;
    assert!(
        matches!(&error, RabbitError::NotAllowed { vhost, .. } if vhost == "nowhere"),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_without_permissions_is_told_which_it_needs() {
    let broker = shared().await;
    let user = format!("u{}", TenantId::generate());
    broker.control(&["add_user", &user, "secret"]).unwrap();
    let url = broker.url_of(&user, "secret");
    let error = refusal(RabbitSettings {
        url: url.clone(),
        ..settings(&broker)
    })
    .await;
    assert!(matches!(error, RabbitError::NotAllowed { .. }), "{error:?}");
    broker
        .control(&[
            "set_permissions",
            &user,
            "^amq.gen|^centro",
            "^amq.gen|^centro",
            "^amq.gen|^centro",
        ])
        .unwrap();
    let bus = super::support::connect(RabbitSettings {
        url,
        ..settings(&broker)
    })
    .await;
    let tenant = TenantId::generate();
    let mut member = super::support::join(&bus, &tenant.to_string(), tenant).await;
    bus.publish(event(tenant, "x", 1)).await.unwrap();
    take(&mut member).await;
    drop(bus.watch(&[&all(tenant)]).await.unwrap());
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn something_else_under_the_name_of_the_exchange_is_left_alone() {
    let broker = shared().await;
    let error = refusal(RabbitSettings {
        exchange: "amq.fanout".into(),
        ..settings(&broker)
    })
    .await;
    assert!(
        matches!(
            error,
            RabbitError::Unlike { .. } | RabbitError::NotAllowed { .. }
        ),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_down_is_told_at_once() {
    let begun = Instant::now();
    let url = format!("amqp://guest:guest@127.0.0.1:{}/%2f", free_port().unwrap());
    let error = refusal(RabbitSettings {
        url,
        ..RabbitSettings::default()
    })
    .await;
    assert!(
        matches!(error, RabbitError::Unreachable { .. }),
        "{error:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_where_the_broker_speaks_none_is_told_at_once() {
    let broker = shared().await;
    let error = refusal(RabbitSettings {
        url: broker.url().replace("amqp:", "amqps:"),
        publish_timeout: LIMIT,
        ..settings(&broker)
    })
    .await;
    assert!(
        matches!(&error, RabbitError::Unreachable { reason, .. } if !reason.contains("no greeting")),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_waits_for_a_broker_when_it_is_told_to() {
    let mut broker = RabbitMq::start().await.unwrap();
    // One that hangs is no better than one that is not there.
    broker.freeze().unwrap();
    let error = refusal(RabbitSettings {
        publish_timeout: Duration::from_millis(300),
        ..settings(&broker)
    })
    .await;
    assert!(
        matches!(error, RabbitError::Unreachable { .. }),
        "{error:?}"
    );
    broker.kill().unwrap();
    let settings = RabbitSettings {
        start_patience: LIMIT,
        ..settings(&broker)
    };
    let connected = RabbitBus::connect(settings, Arc::new(CloudEvents));
    let (bus, revived) = tokio::join!(connected, broker.revive());
    revived.unwrap();
    let bus = bus.unwrap();
    assert!(bus.connected());
    bus.close().await;
    assert!(!bus.connected());
}
