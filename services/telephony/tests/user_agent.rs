//! What a stranger, a phone and a carrier can make the user agent do, over a real UDP port.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use centro_proto::events::{CallRefused, DeviceRegistration, SourceBanned};
use centro_telephony::core::digest::Algorithm;
use rig::{Peer, SECRET, authorization, header, next_event, sdp, start};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_registers_with_sha_256_and_with_md5_and_signs_out() {
    let rig = start(|_| {}, |_| {}).await;
    let mut events = rig.events("*.telephony.device.*").await;
    for algorithm in [Algorithm::Sha256, Algorithm::Md5] {
        let mut phone = Peer::new(rig.doors.sip).await;
        let challenge = phone.register("").await;
        assert!(challenge.starts_with("SIP/2.0 401"), "{challenge}");
        let offered: Vec<_> = challenge
            .lines()
            .filter(|l| l.starts_with("WWW-Authenticate"))
            .collect();
        assert!(
            offered[0].contains("SHA-256") && offered[1].contains("MD5"),
            "{offered:?}"
        );
        let answer = phone
            .register(&authorization(
                &challenge,
                "REGISTER",
                "sip:centro",
                SECRET,
                algorithm,
                1,
            ))
            .await;
        assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
        assert!(
            header(&answer, "Contact").unwrap().contains(";expires="),
            "{answer}"
        );
        let event = next_event(&mut events).await;
        assert_eq!(event.kind, "telephony.device.registered");
        let told: DeviceRegistration = event.decode().unwrap();
        assert_eq!(told.address, format!("UDP {}", phone.local));
        let header = authorization(&challenge, "REGISTER", "sip:centro", SECRET, algorithm, 2);
        let text = phone.request(
            "REGISTER",
            "sip:centro",
            "reg",
            &format!("Expires: 0\r\n{header}"),
            "",
        );
        phone.send(&text).await;
        assert!(phone.expect("SIP/2.0").await.starts_with("SIP/2.0 200"));
        assert_eq!(
            next_event(&mut events).await.kind,
            "telephony.device.unregistered"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nonce_serves_many_times_while_its_count_grows_and_is_then_stale() {
    let rig = start(|_| {}, |_| {}).await;
    let mut phone = Peer::new(rig.doors.sip).await;
    let challenge = phone.register("").await;
    for count in 1..=12 {
        let answer = phone
            .register(&authorization(
                &challenge,
                "REGISTER",
                "sip:centro",
                SECRET,
                Algorithm::Md5,
                count,
            ))
            .await;
        assert!(answer.starts_with("SIP/2.0 200"), "count {count}: {answer}");
    }
    let again = phone
        .register(&authorization(
            &challenge,
            "REGISTER",
            "sip:centro",
            SECRET,
            Algorithm::Md5,
            12,
        ))
        .await;
    assert!(
        again.starts_with("SIP/2.0 401") && again.contains("stale=true"),
        "{again}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_is_refused_and_then_the_address_is_banned() {
    let rig = start(|s| s.failures_per_source = 3, |_| {}).await;
    let mut events = rig.events("-.telephony.source.*").await;
    let mut phone = Peer::new(rig.doors.sip).await;
    let challenge = phone.register("").await;
    for count in 1..=3 {
        let wrong = authorization(
            &challenge,
            "REGISTER",
            "sip:centro",
            "wrong",
            Algorithm::Sha256,
            count,
        );
        let answer = phone.register(&wrong).await;
        assert!(
            answer.starts_with("SIP/2.0 401") && !answer.contains("stale"),
            "{answer}"
        );
    }
    let event: SourceBanned = next_event(&mut events).await.decode().unwrap();
    assert_eq!(event.source, "127.0.0.1");
    let right = authorization(
        &challenge,
        "REGISTER",
        "sip:centro",
        SECRET,
        Algorithm::Sha256,
        9,
    );
    assert!(phone.register(&right).await.starts_with("SIP/2.0 403"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_carriers_wrong_number_is_not_found_and_told() {
    let rig = start(|_| {}, |_| {}).await;
    let mut events = rig.events("#.telephony.call.*").await;
    assert!(wrong_number(&rig).await.starts_with("SIP/2.0 404"));
    let event: CallRefused = next_event(&mut events).await.decode().unwrap();
    assert_eq!(
        (event.reason.as_str(), event.dialled.as_str()),
        ("number_unknown", "+390699999999")
    );
    assert_eq!(event.caller_number, "+393331234567");
}

/// What an unsigned call to nobody's number is answered.
async fn wrong_number(rig: &rig::Rig) -> String {
    let mut carrier = Peer::new(rig.doors.sip).await;
    let text = carrier
        .request(
            "INVITE",
            "sip:+390699999999@centro",
            "wrong",
            "Content-Type: application/sdp\r\n",
            &sdp(40_000, 8),
        )
        .replace("demo-201", "+393331234567");
    carrier.send(&text).await;
    carrier.expect("SIP/2.0 4").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_tenants_share_a_carrier_none_hears_of_anothers_wrong_number() {
    let rig = start(|_| {}, |_| {}).await;
    rig.trunk(rig::STRANGER, 60, &["127.0.0.0/16"], false);
    let mut events = rig.events("#.telephony.call.*").await;
    assert!(wrong_number(&rig).await.starts_with("SIP/2.0 404"));
    let event = next_event(&mut events).await;
    assert_eq!(event.kind, "telephony.call.refused");
    assert_eq!(event.tenant, None);
    // The number still decides: the owner of this one gets the call, and refuses its codec.
    let mut carrier = Peer::new(rig.doors.sip).await;
    let offer = sdp(40_000, 8)
        .replace("RTP/AVP 8 101", "RTP/AVP 96 101")
        .replace("rtpmap:8 PCMA", "rtpmap:96 opus");
    let text = carrier.request(
        "INVITE",
        "sip:390612345678@centro",
        "shared",
        "Content-Type: application/sdp\r\n",
        &offer,
    );
    carrier.send(&text).await;
    assert!(carrier.expect("SIP/2.0 4").await.starts_with("SIP/2.0 488"));
    assert_eq!(next_event(&mut events).await.tenant, Some(rig::TENANT));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_carrier_that_signs_in_is_challenged_also_inside_anothers_network() {
    let rig = start(|_| {}, |_| {}).await;
    rig.trunk(rig::STRANGER, 61, &[], true);
    let mut events = rig.events("#.telephony.call.*").await;
    // Nobody's number is still the address trunk's mistake, and its owner's to know.
    assert!(wrong_number(&rig).await.starts_with("SIP/2.0 404"));
    assert_eq!(next_event(&mut events).await.tenant, Some(rig::TENANT));
    rig.number(rig::STRANGER, "+390699999999");
    assert!(wrong_number(&rig).await.starts_with("SIP/2.0 401"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_gets_a_challenge_and_never_a_call() {
    let rig = start(|_| {}, |_| {}).await;
    let mut stranger = Peer::new(rig.doors.sip).await;
    let text = stranger.request(
        "INVITE",
        "sip:300@centro",
        "toll",
        "Content-Type: application/sdp\r\n",
        &sdp(40_000, 8),
    );
    stranger.send(&text).await;
    assert!(stranger.expect("SIP/2.0").await.starts_with("SIP/2.0 401"));
    assert_eq!(rig.doors.calls.count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_without_g711_is_not_acceptable() {
    let rig = start(|_| {}, |_| {}).await;
    let mut carrier = Peer::new(rig.doors.sip).await;
    let offer = sdp(40_000, 8)
        .replace("RTP/AVP 8 101", "RTP/AVP 96 101")
        .replace("rtpmap:8 PCMA", "rtpmap:96 opus");
    let text = carrier.request(
        "INVITE",
        "sip:390612345678@centro",
        "opus",
        "Content-Type: application/sdp\r\n",
        &offer,
    );
    carrier.send(&text).await;
    assert!(carrier.expect("SIP/2.0 4").await.starts_with("SIP/2.0 488"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn options_are_answered_and_draining_is_told() {
    let rig = start(|_| {}, |_| {}).await;
    let mut peer = Peer::new(rig.doors.sip).await;
    let ping = peer.request("OPTIONS", "sip:centro", "ping", "", "");
    peer.send(&ping).await;
    let answer = peer.expect("SIP/2.0").await;
    assert!(
        answer.starts_with("SIP/2.0 200") && header(&answer, "Allow").unwrap().contains("INVITE"),
        "{answer}"
    );
    rig.lifecycle.drain();
    let call = peer.request("INVITE", "sip:390612345678@centro", "late", "", "");
    peer.send(&call).await;
    let answer = peer.expect("SIP/2.0 5").await;
    assert!(
        answer.starts_with("SIP/2.0 503") && header(&answer, "Retry-After").is_some(),
        "{answer}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_messages_do_not_kill_it() {
    let rig = start(|_| {}, |_| {}).await;
    let mut peer = Peer::new(rig.doors.sip).await;
    let good = peer.request(
        "INVITE",
        "sip:390612345678@centro",
        "fuzz",
        "",
        &sdp(40_000, 8),
    );
    let mut bad: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"\r\n\r\n".to_vec(),
        vec![0; 1_500],
        vec![0xff; 9_000],
        b"INVITE".to_vec(),
        b"SIP/2.0 200 OK\r\n\r\n".to_vec(),
        b"INVITE sip:a SIP/2.0\r\n\r\n".to_vec(),
        // After RFC 4475: 3.1.2.1 badinv01, 3.1.2.2 clerr, 3.1.2.3 ncl, 3.1.2.4 scalar02, 3.1.2.11 mismatch01
        b"INVITE sip:user@example.com SIP/2.0\r\nTo: sip:j.user@example.com\r\nFrom: sip:c@example.net;tag=134161461246\r\nMax-Forwards: 7\r\nCall-ID: badinv01.0ha0isndaksdjasdf3234nas\r\nCSeq: 8 INVITE\r\nVia: SIP/2.0/UDP 192.0.2.15;;,;,,\r\nContact: \"Joe\" <sip:joe@example.org>;;;;\r\nContent-Length: 152\r\n\r\nv=0\r\n".to_vec(),
        good.replace("Content-Length: ", "Content-Length: 9999").into_bytes(),
        good.replace("Content-Length: ", "Content-Length: -").into_bytes(),
        good.replace("CSeq: 1 INVITE", "CSeq: 36893488147419103232 INVITE").into_bytes(),
        good.replace("CSeq: 1 INVITE", "CSeq: 1 OPTIONS").into_bytes(),
        good.replace("SIP/2.0\r\nVia", "SIP/7.0\r\nVia").into_bytes(),
        good.replace(";tag=", ";gat=").into_bytes(),
        good.replace("Call-ID", "Call-DI").into_bytes(),
        good.replace("INVITE sip:", "INVITE <sip:").into_bytes(),
    ];
    for cut in (1..good.len()).step_by(37) {
        bad.push(good.as_bytes()[..cut].to_vec());
        let mut flipped = good.clone().into_bytes();
        flipped[cut] ^= 0x55;
        bad.push(flipped);
    }
    for datagram in bad {
        peer.socket.send_to(&datagram, peer.server).await.unwrap();
    }
    tokio::task::yield_now().await;
    let mut other = Peer::new(rig.doors.sip).await;
    let ping = other.request("OPTIONS", "sip:centro", "alive", "", "");
    other.send(&ping).await;
    let answer = tokio::time::timeout(Duration::from_secs(5), other.expect("SIP/2.0 200")).await;
    assert!(answer.is_ok());
}
