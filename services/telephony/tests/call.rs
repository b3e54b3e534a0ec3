//! A whole call with a carrier and a phone that are plain UDP sockets, and a routing that follows a script.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use centro_proto::{
    events::{CallEnded, RecordingChanged},
    types::EndedBy,
};
use rig::{AGENT, Peer, header, next_event, routing::centre, sdp};
use std::time::Duration;

/// A request in the dialog that `invite` and `answer` made, sent by the caller.
fn in_dialog(caller: &Peer, answer: &str, method: &str, cseq: u32) -> String {
    let value = |name| header(answer, name).unwrap();
    let uri = value("Contact");
    let uri = uri.trim_start_matches('<').split('>').next().unwrap();
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bK{method}{cseq};rport\r\nMax-Forwards: 70\r\nFrom: {}\r\n\
         To: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\nContent-Length: 0\r\n\r\n",
        caller.local,
        value("From"),
        value("To"),
        value("Call-ID"),
    )
}

/// A carrier calls the number and is answered by the centre. Returns its 200.
async fn dial_in(caller: &mut Peer, port: u16) -> String {
    let text = caller.request(
        "INVITE",
        "sip:390612345678@centro",
        "in",
        "Content-Type: application/sdp\r\n",
        &sdp(port, 0),
    );
    caller
        .send(&text.replace("demo-201", "+393331234567"))
        .await;
    let answer = caller.expect("SIP/2.0 200").await;
    caller.send(&in_dialog(caller, &answer, "ACK", 1)).await;
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_waits_an_agent_answers_they_talk_and_the_caller_hangs_up() {
    let (rig, mut heard) = centre().await;
    let mut ended = rig.events("*.telephony.call.ended").await;
    let mut recordings = rig.events("*.telephony.recording.*").await;
    let mut agent = Peer::new(rig.doors.sip).await;
    agent.sign_in().await;
    let mut caller = Peer::new(rig.doors.sip).await;
    let answer = dial_in(&mut caller, 40_002).await;
    assert!(answer.contains("m=audio"), "{answer}");

    let invite = agent.expect("INVITE").await;
    assert!(
        header(&invite, "From").unwrap().contains("+393331234567"),
        "{invite}"
    );
    agent.send(&agent.respond(&invite, "180 Ringing", "")).await;
    agent
        .send(&agent.respond(&invite, "200 OK", &sdp(40_004, 8)))
        .await;
    agent.expect("ACK").await;
    heard.wait("connect").await;
    heard.wait("left Answered by the agent").await;
    assert_eq!(
        next_event(&mut recordings).await.kind,
        "telephony.recording.started"
    );

    caller.send(&in_dialog(&caller, &answer, "BYE", 2)).await;
    caller.expect("SIP/2.0 200").await;
    let bye = agent.expect("BYE").await;
    agent.send(&agent.respond(&bye, "200 OK", "")).await;
    heard.wait("end Answered").await;
    let event: CallEnded = next_event(&mut ended).await.decode().unwrap();
    assert_eq!(
        (event.ended_by(), event.agent_id),
        (EndedBy::Caller, AGENT.to_string())
    );
    let finished: RecordingChanged = next_event(&mut recordings).await.decode().unwrap();
    assert!(!finished.recording_id.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_agents_hang_up_ends_the_callers_call() {
    let (rig, mut heard) = centre().await;
    let mut agent = Peer::new(rig.doors.sip).await;
    agent.sign_in().await;
    let mut caller = Peer::new(rig.doors.sip).await;
    dial_in(&mut caller, 40_006).await;
    let invite = agent.expect("INVITE").await;
    agent
        .send(&agent.respond(&invite, "200 OK", &sdp(40_008, 8)))
        .await;
    let ack = agent.expect("ACK").await;
    heard.wait("left Answered by the agent").await;
    let to = header(&ack, "To").unwrap();
    let bye = format!(
        "BYE {} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKabye;rport\r\nMax-Forwards: 70\r\nFrom: {to}\r\nTo: {}\r\n\
         Call-ID: {}\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n",
        header(&invite, "Contact").unwrap().trim_matches(['<', '>']),
        agent.local,
        header(&invite, "From").unwrap(),
        header(&invite, "Call-ID").unwrap(),
    );
    agent.send(&bye).await;
    agent.expect("SIP/2.0 200").await;
    let bye = caller.expect("BYE").await;
    caller.send(&caller.respond(&bye, "200 OK", "")).await;
    heard.wait("end Answered").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_hangs_up_while_it_rings_stops_the_phone() {
    let (rig, mut heard) = centre().await;
    let mut agent = Peer::new(rig.doors.sip).await;
    agent.sign_in().await;
    let mut caller = Peer::new(rig.doors.sip).await;
    let answer = dial_in(&mut caller, 40_010).await;
    let invite = agent.expect("INVITE").await;
    agent.send(&agent.respond(&invite, "180 Ringing", "")).await;
    caller.send(&in_dialog(&caller, &answer, "BYE", 2)).await;
    let cancel = agent.expect("CANCEL").await;
    agent.send(&agent.respond(&cancel, "200 OK", "")).await;
    agent
        .send(&agent.respond(&invite, "487 Request Terminated", ""))
        .await;
    heard.wait("end CallerGone").await;
    heard.wait("left Abandoned").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_is_busy_is_left_alone_and_the_caller_waits_on() {
    let (rig, mut heard) = centre().await;
    let mut agent = Peer::new(rig.doors.sip).await;
    agent.sign_in().await;
    let mut caller = Peer::new(rig.doors.sip).await;
    dial_in(&mut caller, 40_012).await;
    let invite = agent.expect("INVITE").await;
    agent
        .send(&agent.respond(&invite, "486 Busy Here", ""))
        .await;
    heard.wait("offer ended Busy").await;
    assert_eq!(rig.doors.calls.count(), 1);
}

/// Many phones say busy when a person declines, but then they rang.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_rang_and_is_busy_then_was_declined() {
    let (rig, mut heard) = centre().await;
    let mut agent = Peer::new(rig.doors.sip).await;
    agent.sign_in().await;
    let mut caller = Peer::new(rig.doors.sip).await;
    dial_in(&mut caller, 40_016).await;
    let invite = agent.expect("INVITE").await;
    for answer in ["180 Ringing", "486 Busy Here"] {
        agent.send(&agent.respond(&invite, answer, "")).await;
    }
    heard.wait("offer ended Rejected").await;
    assert_eq!(rig.doors.calls.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_feature_code_sets_the_agents_status() {
    let (rig, mut heard) = centre().await;
    let mut agent = Peer::new(rig.doors.sip).await;
    agent.sign_in().await;
    let uri = "sip:*50@centro";
    let text = agent.request(
        "INVITE",
        uri,
        "code",
        "Content-Type: application/sdp\r\n",
        &sdp(40_014, 8),
    );
    agent.send(&text).await;
    let challenge = agent.expect("SIP/2.0 401").await;
    let secret = rig::authorization(
        &challenge,
        "INVITE",
        uri,
        rig::SECRET,
        centro_telephony::core::digest::Algorithm::Sha256,
        1,
    );
    let headers = format!("Content-Type: application/sdp\r\n{secret}");
    let text = agent.request("INVITE", uri, "code", &headers, &sdp(40_014, 8));
    agent.send(&text).await;
    let answer = agent.expect("SIP/2.0 200").await;
    agent.send(&in_dialog(&agent, &answer, "ACK", 3)).await;
    heard.wait("status LogIn").await;
    let bye = agent.expect("BYE").await; // after the confirmation was played
    agent.send(&agent.respond(&bye, "200 OK", "")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callers_hold_is_answered_and_the_call_goes_on() {
    let (rig, mut heard) = centre().await;
    let mut agent = Peer::new(rig.doors.sip).await;
    agent.sign_in().await;
    let mut caller = Peer::new(rig.doors.sip).await;
    let answer = dial_in(&mut caller, 40_016).await;
    let invite = agent.expect("INVITE").await;
    agent
        .send(&agent.respond(&invite, "200 OK", &sdp(40_018, 8)))
        .await;
    agent.expect("ACK").await;
    heard.wait("left Answered by the agent").await;
    for (cseq, direction, mirrored) in [(2, "sendonly", "recvonly"), (3, "sendrecv", "sendrecv")] {
        let body = sdp(40_016, 0).replace("sendrecv", direction);
        let text = in_dialog(&caller, &answer, "INVITE", cseq);
        let head = format!(
            "Contact: <sip:c@{}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            caller.local,
            body.len()
        );
        caller
            .send(&text.replace("Content-Length: 0\r\n\r\n", &head))
            .await;
        let held = caller.expect("SIP/2.0 200").await;
        assert!(held.contains(&format!("a={mirrored}")), "{held}");
        caller.send(&in_dialog(&caller, &answer, "ACK", cseq)).await;
    }
    caller.send(&in_dialog(&caller, &answer, "BYE", 4)).await;
    let bye = agent.expect("BYE").await;
    agent.send(&agent.respond(&bye, "200 OK", "")).await;
    heard.wait("end Answered").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routing_takes_an_offer_back_and_the_phone_stops() {
    let (rig, mut heard) = centre().await;
    let mut agent = Peer::new(rig.doors.sip).await;
    agent.sign_in().await;
    let mut arrived = rig.events("*.telephony.call.arrived").await;
    let mut caller = Peer::new(rig.doors.sip).await;
    dial_in(&mut caller, 40_020).await;
    let invite = agent.expect("INVITE").await;
    agent.send(&agent.respond(&invite, "180 Ringing", "")).await;
    let contact = next_event(&mut arrived).await.subject.parse().unwrap();
    let first = centro_kernel::contact::Reservation {
        agent: AGENT,
        number: 1,
    };
    assert!(
        rig.doors
            .calls
            .cancel_offer(rig::TENANT, contact, first)
            .await
    );
    let stranger = centro_kernel::TenantId::from_u128(99);
    assert!(!rig.doors.calls.cancel_offer(stranger, contact, first).await);
    let cancel = agent.expect("CANCEL").await;
    agent.send(&agent.respond(&cancel, "200 OK", "")).await;
    agent
        .send(&agent.respond(&invite, "487 Request Terminated", ""))
        .await;
    heard.wait("end Revoked").await;
    heard.wait("offer ended Revoked").await;
    assert_eq!(rig.doors.calls.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_200_that_crosses_the_cancel_is_ended_with_bye() {
    let (rig, mut heard) = centre().await;
    let mut agent = Peer::new(rig.doors.sip).await;
    agent.sign_in().await;
    let mut caller = Peer::new(rig.doors.sip).await;
    let answer = dial_in(&mut caller, 40_022).await;
    let invite = agent.expect("INVITE").await;
    agent.send(&agent.respond(&invite, "180 Ringing", "")).await;
    caller.send(&in_dialog(&caller, &answer, "BYE", 2)).await;
    let cancel = agent.expect("CANCEL").await;
    agent
        .send(&agent.respond(&invite, "200 OK", &sdp(40_024, 8)))
        .await;
    agent.send(&agent.respond(&cancel, "200 OK", "")).await;
    let bye = agent.expect("BYE").await;
    agent.send(&agent.respond(&bye, "200 OK", "")).await;
    heard.wait("end CallerGone").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_phones_of_one_device_the_loser_hears_that_the_call_was_completed_elsewhere() {
    let (rig, mut heard) = centre().await;
    let (mut first, mut second) = (
        Peer::new(rig.doors.sip).await,
        Peer::new(rig.doors.sip).await,
    );
    first.sign_in().await;
    second.sign_in().await;
    let mut caller = Peer::new(rig.doors.sip).await;
    dial_in(&mut caller, 40_026).await;
    let (one, two) = (first.expect("INVITE").await, second.expect("INVITE").await);
    second.send(&second.respond(&two, "180 Ringing", "")).await;
    second.send(&second.respond(&two, "180 Ringing", "")).await;
    first
        .send(&first.respond(&one, "200 OK", &sdp(40_028, 8)))
        .await;
    let cancel = second.expect("CANCEL").await;
    assert_eq!(
        header(&cancel, "Reason").unwrap(),
        "SIP;cause=200;text=\"Call completed elsewhere\""
    );
    second.send(&second.respond(&cancel, "200 OK", "")).await;
    second
        .send(&second.respond(&two, "487 Request Terminated", ""))
        .await;
    heard.wait("left Answered by the agent").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_stop_both_parties_get_bye_and_the_recording_is_completed() {
    let (rig, mut heard) = centre().await;
    let mut recordings = rig.events("*.telephony.recording.finished").await;
    let mut agent = Peer::new(rig.doors.sip).await;
    agent.sign_in().await;
    let mut caller = Peer::new(rig.doors.sip).await;
    dial_in(&mut caller, 40_030).await;
    let invite = agent.expect("INVITE").await;
    agent
        .send(&agent.respond(&invite, "200 OK", &sdp(40_032, 8)))
        .await;
    agent.expect("ACK").await;
    heard.wait("left Answered by the agent").await;
    rig.lifecycle.stop();
    let (one, two) = (agent.expect("BYE").await, caller.expect("BYE").await);
    agent.send(&agent.respond(&one, "200 OK", "")).await;
    caller.send(&caller.respond(&two, "200 OK", "")).await;
    assert_eq!(
        next_event(&mut recordings).await.kind,
        "telephony.recording.finished"
    );
    tokio::time::timeout(Duration::from_secs(5), rig.lifecycle.live().wait())
        .await
        .expect("all calls ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_we_have_no_port_for_is_our_fault_and_not_the_agents() {
    // One port for the caller, the other one is somebody else's.
    let (first, _other) = (1_024..20_000_u16)
        .step_by(4)
        .map(|port| port + 30_000)
        .find_map(|port| {
            drop(std::net::UdpSocket::bind(("127.0.0.1", port)).ok()?);
            Some((
                port,
                std::net::UdpSocket::bind(("127.0.0.1", port + 2)).ok()?,
            ))
        })
        .unwrap();
    let (rig, mut heard) = rig::routing::centre_with(|s| s.rtp_ports = (first, first + 3)).await;
    let mut agent = Peer::new(rig.doors.sip).await;
    agent.sign_in().await;
    let mut caller = Peer::new(rig.doors.sip).await;
    dial_in(&mut caller, 40_034).await;
    heard.wait("end NeverRang").await;
    heard.wait("offer ended NeverRang").await;
    assert_eq!(rig.doors.calls.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_the_disk_refused_is_told_as_failed() {
    let (rig, mut heard) = centre().await;
    let folder = rig.folder.path().join("recordings");
    std::fs::write(folder.join(rig::TENANT.to_string()), "in the way").unwrap();
    let mut recordings = rig.events("*.telephony.recording.finished").await;
    let mut agent = Peer::new(rig.doors.sip).await;
    agent.sign_in().await;
    let mut caller = Peer::new(rig.doors.sip).await;
    let answer = dial_in(&mut caller, 40_036).await;
    let invite = agent.expect("INVITE").await;
    agent
        .send(&agent.respond(&invite, "200 OK", &sdp(40_038, 8)))
        .await;
    agent.expect("ACK").await;
    heard.wait("left Answered by the agent").await;
    caller.send(&in_dialog(&caller, &answer, "BYE", 2)).await;
    let bye = agent.expect("BYE").await;
    agent.send(&agent.respond(&bye, "200 OK", "")).await;
    let finished: RecordingChanged = next_event(&mut recordings).await.decode().unwrap();
    assert!(finished.failed && finished.duration_ms == 0, "{finished:?}");
}
