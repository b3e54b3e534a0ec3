//! A recording from its first packet to its file, and what a killed process leaves.

use super::*;

fn speak(tap: &Tap, from: u32, packets: u32, started: Instant) {
    for n in from..from + packets {
        let header = Header {
            payload: 8,
            marker: false,
            sequence: n as u16,
            timestamp: n * 160,
            ssrc: 1,
        };
        let now = started + Duration::from_millis(u64::from(n) * 20);
        tap.take(Codec::Pcma, &header, &[0xaa; 160], now);
    }
}

fn read(path: &std::path::Path) -> (u32, Vec<[i16; 2]>) {
    let bytes = std::fs::read(path).unwrap();
    let size = u32::from_le_bytes(bytes[40..44].try_into().unwrap());
    let blocks = bytes[44..].chunks_exact(4);
    let sample = |a, b| i16::from_le_bytes([a, b]);
    (
        size,
        blocks
            .map(|b| [sample(b[0], b[1]), sample(b[2], b[3])])
            .collect(),
    )
}

#[tokio::test]
async fn both_sides_are_on_their_channel() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::start().unwrap();
    let recording = recorder.record(folder.path().join("2026/call.wav"));
    let started = recording.shared.started;
    speak(&recording.tap(Side::Caller), 0, 50, started);
    recording.pause();
    speak(&recording.tap(Side::Agent), 0, 50, started);
    recording.resume();
    speak(&recording.tap(Side::Agent), 50, 25, started);
    let finished = recording.finish().await.unwrap();
    assert_eq!(finished.frames, [50, 25]);
    assert_eq!(
        (finished.dropped, finished.duration),
        (0, Duration::from_millis(1_500))
    );
    let (size, samples) = read(&finished.path);
    assert_eq!(u64::from(size) + 44, finished.size_bytes);
    assert_eq!(samples.len(), 12_000);
    assert_eq!((samples[0], samples[7_999]), ([32_256, 0], [32_256, 0]));
    assert_eq!(
        (samples[8_000], samples[11_999]),
        ([0, 32_256], [0, 32_256])
    );
}

#[tokio::test]
async fn too_much_waiting_is_dropped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::start().unwrap();
    let recording = recorder.record(folder.path().join("call.wav"));
    let started = recording.shared.started;
    speak(&recording.tap(Side::Caller), 0, 1_000, started);
    let finished = recording.finish().await.unwrap();
    assert!(finished.dropped > 0 && recorder.dropped() == finished.dropped);
    assert_eq!(finished.frames[0] + finished.dropped, 1_000);
}

#[tokio::test]
async fn a_disk_that_refuses_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let recorder = Recorder::start().unwrap();
    let refused = recorder.record(file.join("call.wav")).finish().await;
    assert!(matches!(refused, Err(RecordingError::Disk { .. })));
}

#[test]
fn a_file_of_a_killed_process_is_repaired() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("call.wav");
    let mut wav = wav::Wav::create(&path).unwrap();
    wav.append(&[1; 8_000], &[2; 8_000]).unwrap();
    drop(wav);
    // Killed between data and header, in the middle of a sample.
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend([9; 32_003]);
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(
        repair(&path).unwrap(),
        Some(Duration::from_micros(2_000_000))
    );
    let (size, samples) = read(&path);
    assert_eq!((size, samples.len()), (64_000, 16_000));
    let other = folder.path().join("other.wav");
    std::fs::write(&other, [7; 100]).unwrap();
    assert_eq!(repair(&other).unwrap(), None);
    assert_eq!(std::fs::read(&other).unwrap(), [7; 100]);
}
