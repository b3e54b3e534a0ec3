//! A recording of a bridged call, and of a process that is killed in the middle.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first surprise"
)]

mod phone;

use centro_media::{Bridge, Codec, recorder, tone};
use phone::{Phone, until};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const CALLER: f64 = 440.0;
const AGENT: f64 = 1_000.0;
const PATH: &str = "CENTRO_TEST_RECORDING";

fn channels(path: &Path) -> [Vec<i16>; 2] {
    let bytes = std::fs::read(path).unwrap();
    let sample = |at: usize| move |b: &[u8]| i16::from_le_bytes([b[at], b[at + 1]]);
    let blocks = || bytes[44..].chunks_exact(4);
    [
        blocks().map(sample(0)).collect(),
        blocks().map(sample(2)).collect(),
    ]
}

async fn recorded_call(path: PathBuf) -> (centro_media::Recording, Vec<Box<dyn std::any::Any>>) {
    let media = phone::media();
    let mut caller = Phone::new(Codec::Pcma, 20).await;
    let mut agent = Phone::new(Codec::Pcmu, 30).await;
    let (caller_leg, _) = media.open_leg(None).unwrap();
    let (agent_leg, _) = media.open_leg(None).unwrap();
    caller_leg
        .answer(caller.sdp("sendrecv").as_bytes())
        .unwrap();
    agent_leg.answer(agent.sdp("sendrecv").as_bytes()).unwrap();
    let recording = media.record(path);
    let bridge = Bridge::join(&caller_leg, &agent_leg, Some(&recording));
    caller.talk(caller_leg.local(), CALLER);
    agent.talk(agent_leg.local(), AGENT);
    agent.hears(CALLER, 50).await;
    (
        recording,
        vec![Box::new((
            media, caller, agent, caller_leg, agent_leg, bridge,
        ))],
    )
}

#[tokio::test]
async fn each_voice_is_on_its_channel() {
    let folder = tempfile::tempdir().unwrap();
    let (recording, call) = recorded_call(folder.path().join("call.wav")).await;
    let finished = recording.finish().await.unwrap();
    drop(call);
    let [left, right] = channels(&finished.path);
    assert!(finished.duration >= Duration::from_secs(1), "{finished:?}");
    assert!(tone::frames_with(&left, CALLER) > 0.85 && tone::frames_with(&left, AGENT) == 0.0);
    assert!(tone::frames_with(&right, AGENT) > 0.85 && tone::frames_with(&right, CALLER) == 0.0);
    assert_eq!(finished.dropped, 0);
}

#[tokio::test]
async fn a_killed_process_leaves_all_but_two_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("call.wav");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "record_until_killed"])
        .env(PATH, &path)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut begun = None;
    until("4 s are recorded", || {
        if begun.is_none() && path.exists() {
            begun = Some(Instant::now());
        }
        begun.is_some_and(|begun: Instant| begun.elapsed() > Duration::from_secs(4))
    })
    .await;
    child.kill().unwrap();
    child.wait().unwrap();
    let recorded = begun.unwrap().elapsed();
    let duration = recorder::repair(&path).unwrap().unwrap();
    assert!(
        duration + Duration::from_secs(2) > recorded,
        "{duration:?} of {recorded:?}"
    );
    let [left, right] = channels(&path);
    assert!(tone::frames_with(&left[8_000..], CALLER) > 0.85);
    assert!(tone::frames_with(&right[8_000..], AGENT) > 0.85);
}

/// The process that the test above kills; without a path there is nothing to record.
#[tokio::test]
async fn record_until_killed() {
    let Some(path) = std::env::var_os(PATH) else {
        return;
    };
    let _call = recorded_call(path.into()).await;
    std::future::pending::<()>().await;
}
