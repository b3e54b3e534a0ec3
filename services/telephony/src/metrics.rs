//! What sound costs and loses, and what SIP and SDP were refused, for `/metrics`.

use centro_media::{Media, MediaStats, sdp::SdpError};
use prometheus::{
    Gauge, IntCounterVec, IntGauge, Opts,
    core::{Collector, Desc},
    proto::MetricFamily,
};
use std::sync::LazyLock;

/// What SIP carries now, and what strangers and broken peers sent.
struct Signalling {
    malformed: IntCounterVec,
    sdp: IntCounterVec,
    sip: IntCounterVec,
    connections: IntGauge,
    calls: IntGauge,
}

static SIGNALLING: LazyLock<Result<Signalling, String>> = LazyLock::new(|| {
    let counter = |name, help, label: &str| {
        let counter = IntCounterVec::new(Opts::new(name, help), &[label])?;
        prometheus::register(Box::new(counter.clone()))?;
        Ok::<_, prometheus::Error>(counter)
    };
    let gauge = |name, help| {
        let gauge = IntGauge::new(name, help)?;
        prometheus::register(Box::new(gauge.clone()))?;
        Ok::<_, prometheus::Error>(gauge)
    };
    let all = || {
        Ok::<_, prometheus::Error>(Signalling {
            malformed: counter(
                "centro_sip_malformed_total",
                "SIP messages that could not be read, and were dropped",
                "transport",
            )?,
            sdp: counter(
                "centro_sdp_refused_total",
                "Session descriptions that were refused",
                "why",
            )?,
            sip: counter(
                "centro_sip_refused_total",
                "SIP requests, datagrams and connections that were turned away",
                "reason",
            )?,
            connections: gauge(
                "centro_sip_connections",
                "TCP connections of peers open now",
            )?,
            calls: gauge(
                "centro_calls",
                "Calls that run now, or still owe routing a word",
            )?,
        })
    };
    all().map_err(|error| error.to_string())
});

/// Counts a SIP message that could not be read.
pub fn malformed(transport: &str) {
    if let Ok(figures) = &*SIGNALLING {
        figures.malformed.with_label_values(&[transport]).inc();
    }
}

/// Counts what was turned away.
pub fn refused(reason: &str) {
    if let Ok(figures) = &*SIGNALLING {
        figures.sip.with_label_values(&[reason]).inc();
    }
}

/// TCP connections that came, or went when negative.
pub fn connections(by: i64) {
    if let Ok(figures) = &*SIGNALLING {
        figures.connections.add(by);
    }
}

/// Calls that came, or went when negative.
pub fn calls(by: i64) {
    if let Ok(figures) = &*SIGNALLING {
        figures.calls.add(by);
    }
}

/// Counts a session description that was refused.
pub fn sdp_refused(error: &SdpError) {
    let why = match error {
        SdpError::TooLarge => "too_large",
        SdpError::Malformed => "malformed",
        SdpError::NoAudio => "no_audio",
        SdpError::NoCodec => "no_codec",
        SdpError::Unreachable => "unreachable",
    };
    if let Ok(figures) = &*SIGNALLING {
        figures.sdp.with_label_values(&[why]).inc();
    }
}

/// A figure, and where it is read.
type Count = (IntGauge, fn(&MediaStats) -> u64);
type Time = (Gauge, fn(&MediaStats) -> f64);

/// Says `centro_media_*`.
struct Sound {
    media: Media,
    counts: Vec<Count>,
    relay: Vec<Time>,
}

/// Adds the media figures to the process's metrics. A second centre in the same process keeps the first one's.
///
/// # Errors
/// A metric name that is none, which is a fault of ours.
pub fn register(media: &Media) -> Result<(), prometheus::Error> {
    if let Err(error) = &*SIGNALLING {
        return Err(prometheus::Error::Msg(error.clone()));
    }
    let count = |name, help, read: fn(&MediaStats) -> u64| {
        Ok::<_, prometheus::Error>((IntGauge::new(name, help)?, read))
    };
    let relay = |quantile: &str, read: fn(&MediaStats) -> f64| {
        let options = prometheus::Opts::new(
            "centro_media_relay_seconds",
            "From having a packet to having sent it on",
        )
        .const_label("quantile", quantile);
        Ok::<_, prometheus::Error>((Gauge::with_opts(options)?, read))
    };
    let sound = Sound {
        media: media.clone(),
        counts: vec![
            count("centro_media_legs", "RTP legs open now", |stats| stats.legs)?,
            count(
                "centro_media_received_packets",
                "RTP packets taken",
                |stats| stats.received,
            )?,
            count("centro_media_sent_packets", "RTP packets sent", |stats| {
                stats.sent
            })?,
            count(
                "centro_media_lost_packets",
                "RTP packets that never came",
                |stats| stats.lost,
            )?,
            count(
                "centro_media_rejected_packets",
                "RTP packets of strangers",
                |stats| stats.rejected,
            )?,
            count(
                "centro_media_malformed_packets",
                "Datagrams that were no agreed RTP",
                |stats| stats.malformed,
            )?,
            count(
                "centro_media_recordings",
                "Recordings being written now",
                |stats| stats.recordings,
            )?,
            count(
                "centro_media_recording_dropped_packets",
                "Packets the disk was too slow for",
                |stats| stats.recording_dropped,
            )?,
        ],
        relay: vec![
            relay("0.5", |stats| stats.relay.p50.as_secs_f64())?,
            relay("0.99", |stats| stats.relay.p99.as_secs_f64())?,
        ],
    };
    match prometheus::register(Box::new(sound)) {
        Err(prometheus::Error::AlreadyReg) => Ok(()),
        other => other,
    }
}

impl Collector for Sound {
    fn desc(&self) -> Vec<&Desc> {
        let counts = self.counts.iter().flat_map(|(gauge, _)| gauge.desc());
        counts
            .chain(self.relay.iter().flat_map(|(gauge, _)| gauge.desc()))
            .collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let stats = self.media.stats();
        let mut families = Vec::new();
        for (gauge, read) in &self.counts {
            gauge.set(i64::try_from(read(&stats)).unwrap_or(i64::MAX));
            families.extend(gauge.collect());
        }
        for (gauge, read) in &self.relay {
            gauge.set(read(&stats));
            families.extend(gauge.collect());
        }
        families
    }
}
