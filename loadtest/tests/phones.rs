//! The scripted phones against each other: what they claim about others must hold among themselves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first surprise"
)]

use centro_loadtest::{
    command::{agent_tones, caller_tones},
    phone::{Dial, Ending, Phones, Script},
};
use std::time::Duration;

fn dial(n: usize, to: &str, hang_up_after: Option<Duration>) -> Dial {
    Dial {
        from: format!("+1888{n:07}"),
        to: to.into(),
        account: None,
        tones: caller_tones(true),
        hang_up_after,
        patience: Duration::from_secs(10),
    }
}

async fn pair(script: Script) -> (Phones, Phones) {
    let any = "127.0.0.1:0".parse().unwrap();
    let agents = Phones::open(any, any, script).await.unwrap();
    let callers = Phones::open(any, agents.address(), Script::default())
        .await
        .unwrap();
    (callers, agents)
}

#[tokio::test]
async fn calls_are_answered_heard_both_ways_and_ended_by_the_agent() {
    let talk = Some(Duration::from_secs(1));
    let (callers, agents) = pair(Script {
        talk,
        tones: agent_tones(true),
        ..Script::default()
    })
    .await;
    let calls = (0..10).map(|n| {
        let callers = callers.clone();
        tokio::spawn(async move { callers.dial(dial(n, &format!("agent{n}"), None)).await })
    });
    for call in calls.collect::<Vec<_>>() {
        let call = call.await.unwrap().unwrap();
        assert_eq!(call.ending, Ending::ByThem);
        assert!(
            call.heard.the_other() && call.heard.lost == 0,
            "{:?}",
            call.heard
        );
        assert!(!call.heard.under_way.is_empty());
        let rung = agents.timing().rung();
        let rung = rung.iter().find(|rung| rung.caller == call.from).unwrap();
        assert!(rung.at >= call.invited.unwrap());
    }
    let answered = agents.wait_answered(10, Duration::from_secs(2)).await;
    assert_eq!(answered.len(), 10);
    assert!(
        answered
            .iter()
            .all(|call| call.by_us && call.heard.the_other())
    );
}

#[tokio::test]
async fn a_caller_who_hangs_up_and_a_phone_nobody_answers() {
    let (callers, agents) = pair(Script::default()).await;
    let call = callers
        .dial(dial(1, "a", Some(Duration::from_millis(100))))
        .await
        .unwrap();
    assert_eq!(call.ending, Ending::ByUs);
    let answered = agents.wait_answered(1, Duration::from_secs(2)).await;
    assert!(!answered[0].by_us);
    let (callers, _agents) = pair(Script {
        absent: true,
        ..Script::default()
    })
    .await;
    let mut unanswered = dial(2, "a", None);
    unanswered.patience = Duration::from_millis(300);
    assert_eq!(
        callers.dial(unanswered).await.unwrap().ending,
        Ending::Refused(408)
    );
}
