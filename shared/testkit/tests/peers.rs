//! The telephones against each other, without a centre: what the kit says about a call is true.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests stop at the first surprise"
)]

use centro_testkit::{Baresip, RtpPeer, Sipp, SippBuilder, Transport, recording, sound};
use std::{net::SocketAddr, path::Path, path::PathBuf, time::Duration};

const LONG: Duration = Duration::from_secs(10);

fn sipp(name: &str, folder: &Path) -> SippBuilder {
    let sip = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../tests/sip");
    Sipp::scenario(&sip.join(name), folder).unwrap()
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// An agent's phone that speaks µ-law to `peer`.
async fn agent(scenario: &str, peer: &RtpPeer, folder: &Path) -> Sipp {
    let phone = sipp(scenario, folder)
        .audio(peer)
        .unwrap()
        .key("payload", "0")
        .key("codec", "PCMU")
        .calls(1);
    let mut phone = phone.start().unwrap();
    phone.listening().await.unwrap();
    phone
}

#[tokio::test]
async fn a_caller_hangs_up_on_cue() {
    let folder = tempfile::tempdir().unwrap();
    let peer = RtpPeer::mu_law(1000.0).await.unwrap();
    let mut phone = agent("agent_ring.xml", &peer, folder.path()).await;
    let caller = sipp("caller.xml", folder.path())
        .to(local(phone.port()))
        .dial("100")
        .audio(&peer)
        .unwrap();
    let mut caller = caller.calls(1).start().unwrap();
    phone.receives("INVITE", LONG).await.unwrap();
    phone.cue().unwrap();
    phone.receives("ACK", LONG).await.unwrap();
    assert_eq!(caller.remote_audio().unwrap(), local(peer.port().unwrap()));
    caller.cue().unwrap();
    caller.succeeds(LONG).await.unwrap();
    phone.succeeds(LONG).await.unwrap();
}

#[tokio::test]
async fn an_agent_hangs_up_on_cue() {
    let folder = tempfile::tempdir().unwrap();
    let peer = RtpPeer::mu_law(1000.0).await.unwrap();
    let mut phone = agent("agent_answer.xml", &peer, folder.path()).await;
    let caller = sipp("caller.xml", folder.path())
        .to(local(phone.port()))
        .dial("100")
        .audio(&peer)
        .unwrap();
    let mut caller = caller.calls(1).start().unwrap();
    phone.receives("ACK", LONG).await.unwrap();
    phone.cue().unwrap();
    phone.succeeds(LONG).await.unwrap();
    caller.succeeds(LONG).await.unwrap();
}

#[tokio::test]
async fn a_caller_cancels_on_cue() {
    let folder = tempfile::tempdir().unwrap();
    let peer = RtpPeer::mu_law(1000.0).await.unwrap();
    let mut phone = agent("agent_ring.xml", &peer, folder.path()).await;
    let caller = sipp("caller_cancels.xml", folder.path())
        .to(local(phone.port()))
        .dial("100")
        .audio(&peer)
        .unwrap();
    let mut caller = caller.calls(1).start().unwrap();
    caller.receives("SIP/2.0 180", LONG).await.unwrap();
    caller.cue().unwrap();
    caller.succeeds(LONG).await.unwrap();
    phone.succeeds(LONG).await.unwrap();
}

#[tokio::test]
async fn a_failed_call_is_told_with_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let peer = RtpPeer::mu_law(1000.0).await.unwrap();
    let phone = agent("agent_rejects.xml", &peer, folder.path()).await;
    let caller = sipp("caller.xml", folder.path())
        .to(local(phone.port()))
        .dial("100")
        .audio(&peer)
        .unwrap();
    let mut caller = caller.calls(1).start().unwrap();
    let error = format!("{:#}", caller.succeeds(LONG).await.unwrap_err());
    assert!(error.contains("486"), "{error}");
}

#[tokio::test]
async fn baresip_talks_both_ways_and_keeps_what_it_heard() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody registers it here: it is called directly.
    let phone = Baresip::start(
        folder.path(),
        local(9),
        "agent",
        "secret",
        1000.0,
        Transport::Udp,
    )
    .unwrap();
    phone.says("baresip is ready", LONG).await.unwrap();
    let peer = RtpPeer::a_law(600.0).await.unwrap();
    let caller = sipp("caller.xml", folder.path())
        .to(phone.address())
        .dial("agent")
        .audio(&peer)
        .unwrap();
    let mut caller = caller.calls(1).start().unwrap();
    peer.hears(1000.0, LONG).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await; // speech to be kept
    phone.hang_up().unwrap();
    caller.succeeds(LONG).await.unwrap();
    phone.says("terminated", LONG).await.unwrap();
    let heard = phone.heard().unwrap();
    assert!(
        sound::seconds_of(600.0, &heard[0]) > 0.5,
        "{} s",
        sound::seconds_of(600.0, &heard[0])
    );
}

#[test]
fn a_stereo_file_keeps_its_sides() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tone.wav");
    recording::write_mono(&path, &sound::tone(700.0, 0, 8000)).unwrap();
    assert!(sound::seconds_of(700.0, &recording::mono(&path).unwrap()) > 0.99);
    assert!(recording::stereo(&std::fs::read(&path).unwrap()).is_err());
}
