//! Peers that are gone without a word, and clips that nobody hears.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use centro_proto::{
    configuration::{
        Change, DialPlan, DialPlanNode, HangUpNode, Number, PlayClipNode, change::Object,
        dial_plan_node::Kind,
    },
    events::CallEnded,
    types::EndedBy,
};
use rig::{Peer, header, next_event, routing::centre_with, sdp, start};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{net::UdpSocket, time::timeout};

/// Sends µ-law silence to where the answer wants it, until dropped.
fn speak(socket: UdpSocket, answer: &str) -> tokio::task::JoinHandle<()> {
    let port: u16 = answer
        .split("m=audio ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        for number in 0_u16.. {
            tick.tick().await;
            let mut packet = vec![0x80, 0];
            packet.extend(number.to_be_bytes());
            packet.extend((u32::from(number) * 160).to_be_bytes());
            packet.extend([1, 2, 3, 4]);
            packet.extend([0xff; 160]);
            let _ = socket.send_to(&packet, ("127.0.0.1", port)).await;
        }
    })
}

fn acknowledge(caller: &Peer, answer: &str) -> String {
    let value = |name| header(answer, name).unwrap();
    format!(
        "ACK sip:centro@centro SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKack;rport\r\nMax-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\n\
         Call-ID: {}\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
        caller.local,
        value("From"),
        value("To"),
        value("Call-ID"),
    )
}

/// Says 200 to every OPTIONS, until something comes that starts so.
async fn answering(peer: &Peer, until: &str) -> String {
    loop {
        let message = peer.receive_raw().await;
        if message.starts_with(until) {
            return message;
        }
        if message.starts_with("OPTIONS") {
            peer.send(&peer.respond(&message, "200 OK", "")).await;
        }
    }
}

/// The carrier calls and is answered by the centre. Returns the 200.
async fn dial_in(caller: &mut Peer, offer: &str) -> String {
    let text = caller.request("INVITE", "sip:390612345678@centro", "in", "", offer);
    let text = text.replace(
        "Content-Length",
        "Content-Type: application/sdp\r\nContent-Length",
    );
    caller
        .send(&text.replace("demo-201", "+393331234567"))
        .await;
    let answer = caller.expect("SIP/2.0 200").await;
    caller.send(&acknowledge(caller, &answer)).await;
    answer
}

/// The next question that is not a repetition of an earlier one.
async fn asked(peer: &Peer, last: &mut u32) -> String {
    loop {
        let wait = timeout(Duration::from_secs(30), peer.receive_raw());
        let message = wait.await.expect("a question in time");
        let cseq = header(&message, "CSeq").unwrap();
        let number = cseq.split(' ').next().unwrap().parse().unwrap();
        if message.starts_with("OPTIONS") && number > *last {
            *last = number;
            return message;
        }
    }
}

const SILENCE: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agents_phone_that_vanished_ends_the_call_and_one_that_only_listens_does_not() {
    let (rig, mut heard) = centre_with(|s| s.silence = SILENCE).await;
    let mut ended = rig.events("*.telephony.call.ended").await;
    let mut agent = Peer::new(rig.doors.sip).await;
    agent.sign_in().await;
    let mut caller = Peer::new(rig.doors.sip).await;
    let voice = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let offer = sdp(voice.local_addr().unwrap().port(), 0);
    let answer = dial_in(&mut caller, &offer).await;
    let speech = speak(voice, &answer);
    let invite = agent.expect("INVITE").await;
    agent
        .send(&agent.respond(&invite, "200 OK", &sdp(40_040, 8)))
        .await;
    agent.expect("ACK").await;
    heard.wait("left Answered by the agent").await;
    let caller = Arc::new(caller);
    let listener = caller.clone();
    let over = tokio::spawn(async move { answering(&listener, "BYE").await });
    // It says nothing, but it is there: whatever it answers, and though a question is lost.
    let mut last = 0;
    for status in [
        "405 Method Not Allowed",
        "401 Unauthorized",
        "",
        "407 Proxy Authentication Required",
        "200 OK",
    ] {
        let question = asked(&agent, &mut last).await;
        assert!(
            header(&question, "To").unwrap().contains("tag=agent"),
            "{question}"
        );
        if !status.is_empty() {
            agent.send(&agent.respond(&question, status, "")).await;
        }
    }
    assert_eq!(rig.doors.calls.count(), 1);
    // From now on it is not.
    for _ in 0..3 {
        assert!(!over.is_finished());
        asked(&agent, &mut last).await;
    }
    let bye = timeout(Duration::from_secs(15), over).await;
    let bye = bye.expect("the caller is told").unwrap();
    caller.send(&caller.respond(&bye, "200 OK", "")).await;
    let event: CallEnded = next_event(&mut ended).await.decode().unwrap();
    assert_eq!(event.ended_by(), EndedBy::System);
    speech.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_knows_no_such_call_ends_it_at_once() {
    let (rig, mut heard) = centre_with(|s| s.silence = SILENCE).await;
    let mut ended = rig.events("*.telephony.call.ended").await;
    let mut agent = Peer::new(rig.doors.sip).await;
    agent.sign_in().await;
    let mut caller = Peer::new(rig.doors.sip).await;
    let voice = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let offer = sdp(voice.local_addr().unwrap().port(), 0);
    let answer = dial_in(&mut caller, &offer).await;
    let speech = speak(voice, &answer);
    let invite = agent.expect("INVITE").await;
    agent
        .send(&agent.respond(&invite, "200 OK", &sdp(40_044, 8)))
        .await;
    agent.expect("ACK").await;
    heard.wait("left Answered by the agent").await;
    let question = asked(&agent, &mut 0).await;
    let gone = "481 Call/Transaction Does Not Exist";
    agent.send(&agent.respond(&question, gone, "")).await;
    let event: CallEnded = next_event(&mut ended).await.decode().unwrap();
    assert_eq!(event.ended_by(), EndedBy::System);
    speech.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_never_answered_a_question_has_as_long_as_one_on_hold() {
    let longer = SILENCE * 5;
    let (rig, mut heard) = centre_with(|s| {
        s.silence = SILENCE;
        s.silence_on_hold = longer;
    })
    .await;
    let mut ended = rig.events("*.telephony.call.ended").await;
    let mut agent = Peer::new(rig.doors.sip).await;
    agent.sign_in().await;
    let mut caller = Peer::new(rig.doors.sip).await;
    let voice = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let offer = sdp(voice.local_addr().unwrap().port(), 0);
    let answer = dial_in(&mut caller, &offer).await;
    let speech = speak(voice, &answer);
    let invite = agent.expect("INVITE").await;
    let began = Instant::now();
    agent
        .send(&agent.respond(&invite, "200 OK", &sdp(40_052, 8)))
        .await;
    agent.expect("ACK").await;
    heard.wait("left Answered by the agent").await;
    let event = timeout(longer * 3, ended.next()).await;
    assert!(event.is_ok(), "the call lasts for ever");
    assert!(began.elapsed() >= longer, "{:?}", began.elapsed());
    speech.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_waits_is_asked_whether_it_holds_or_not() {
    for direction in ["sendrecv", "sendonly"] {
        let (rig, _heard) = centre_with(|s| {
            s.silence = Duration::from_secs(1);
            s.silence_on_hold = SILENCE;
        })
        .await;
        let mut ended = rig.events("*.telephony.call.ended").await;
        let mut caller = Peer::new(rig.doors.sip).await;
        let offer = sdp(40_048, 0).replace("sendrecv", direction);
        dial_in(&mut caller, &offer).await;
        let began = Instant::now();
        let mut last = 0;
        for _ in 0..2 {
            let question = asked(&caller, &mut last).await;
            caller.send(&caller.respond(&question, "200 OK", "")).await;
        }
        if direction == "sendonly" {
            assert!(began.elapsed() >= SILENCE, "{:?}", began.elapsed());
        }
        assert_eq!(rig.doors.calls.count(), 1, "{direction}");
        // It does not answer any more.
        let event = timeout(Duration::from_secs(30), ended.next()).await;
        assert!(event.is_ok(), "{direction}: the call waits for ever");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clip_that_nobody_hears_ends_by_its_deadline() {
    let rig = start(|_| {}, |_| {}).await;
    let nodes = vec![
        DialPlanNode {
            id: "say".into(),
            kind: Some(Kind::PlayClip(PlayClipNode {
                clip: "done".into(),
                on_done: "end".into(),
                ..PlayClipNode::default()
            })),
        },
        DialPlanNode {
            id: "end".into(),
            kind: Some(Kind::HangUp(HangUpNode {})),
        },
    ];
    let plan = centro_kernel::DialPlanId::from_u128(77).to_string();
    let objects = [
        Object::DialPlan(DialPlan {
            id: plan.clone(),
            entry: "say".into(),
            nodes,
            ..DialPlan::default()
        }),
        Object::Number(Number {
            id: "num_2".into(),
            e164: "+390600000001".into(),
            dial_plan_id: plan,
            ..Number::default()
        }),
    ];
    for object in objects {
        rig.doors.directory.write().apply(Change {
            tenant_id: rig::TENANT.to_string(),
            version: 50,
            deleted: false,
            object: Some(object),
        });
    }
    let mut ended = rig.events("*.telephony.call.ended").await;
    let mut caller = Peer::new(rig.doors.sip).await;
    // Without an offer nothing is agreed before the ACK, which never comes: the clip cannot be played.
    let text = caller.request("INVITE", "sip:390600000001@centro", "clip", "", "");
    let began = Instant::now();
    caller
        .send(&text.replace("demo-201", "+393331234567"))
        .await;
    caller.expect("SIP/2.0 200").await;
    let event = timeout(Duration::from_secs(20), ended.next()).await;
    assert!(event.is_ok(), "the clip plays for ever");
    assert!(began.elapsed() >= Duration::from_secs(2));
}
