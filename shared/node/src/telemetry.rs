//! Logs, traces and metrics of a process.
//!
//! Logs go to standard error. Traces go to an OTLP collector when an endpoint is set, and cost nothing otherwise.
//! Metrics are OpenTelemetry instruments (`opentelemetry::global::meter`) that Prometheus reads as text.

use anyhow::Context;
use opentelemetry::{global, trace::TracerProvider};
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::{
    Resource,
    metrics::SdkMeterProvider,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider},
};
use serde::Deserialize;
use std::{fmt, io::IsTerminal};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// The `telemetry` section of the settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetrySettings {
    /// What is logged: directives like `info,centro_routing=debug`. `RUST_LOG` wins when it is set.
    pub filter: String,
    /// How a log line looks.
    pub format: LogFormat,
    /// Where traces go, e.g. `http://localhost:4317` (OTLP over gRPC); empty: nowhere.
    pub otlp_endpoint: String,
    /// Which part of the traces that begin here is kept, from 0 to 1.
    pub trace_ratio: f64,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self {
            filter: "info,lapin=off,rsipstack=warn".into(),
            format: LogFormat::Text,
            otlp_endpoint: String::new(),
            trace_ratio: 1.0,
        }
    }
}

impl TelemetrySettings {
    /// Whether the values can be used.
    ///
    /// # Errors
    /// A sentence that names the key and the remedy.
    pub fn validate(&self) -> Result<(), String> {
        EnvFilter::try_new(&self.filter).map_err(|error| {
            format!("telemetry.filter: {error}; write directives like info,centro_routing=debug")
        })?;
        if !(0.0..=1.0).contains(&self.trace_ratio) {
            return Err("telemetry.trace_ratio: must be from 0 to 1".into());
        }
        Ok(())
    }
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For log stores: one JSON object per line.
    Json,
}

/// The metrics of this process, to be read. Cheap to clone.
#[derive(Clone, Default)]
pub struct Metrics(prometheus::Registry);

impl Metrics {
    /// The Prometheus text format (version 0.0.4), for `GET /metrics`.
    pub fn render(&self) -> String {
        let mut families = self.0.gather();
        families.extend(prometheus::gather()); // counters that services keep in the library's own registry
        let text = prometheus::TextEncoder::new().encode_to_string(&families);
        text.unwrap_or_else(|error| {
            tracing::error!(%error, "metrics cannot be written");
            String::new()
        })
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

/// What was set up; kept until the process ends.
#[derive(Debug)]
pub struct Telemetry {
    tracer: Option<SdkTracerProvider>,
    meter: SdkMeterProvider,
    metrics: Metrics,
}

/// Sets up logs, traces and metrics for the whole process; to be called once, inside a tokio runtime.
///
/// # Errors
/// A filter that cannot be read, an endpoint that is none, or a second call.
pub fn init(settings: &TelemetrySettings) -> anyhow::Result<Telemetry> {
    let filter = match std::env::var(EnvFilter::DEFAULT_ENV) {
        Ok(text) if !text.is_empty() => EnvFilter::try_new(text).context("RUST_LOG")?,
        _ => EnvFilter::try_new(&settings.filter).context("telemetry.filter")?,
    };
    let (telemetry, tracer) = build(settings)?;
    global::set_text_map_propagator(TraceContextPropagator::new());
    global::set_meter_provider(telemetry.meter.clone());
    // Colours are for people: a log that goes to a file or a collector has none.
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let lines = match settings.format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    // What is logged and what is traced are chosen apart: the span of every RPC is for traces, and costs nothing without.
    let traced = Targets::new().with_target("centro", LevelFilter::DEBUG);
    let traces = tracer.map(|tracer| {
        let layer = tracing_opentelemetry::layer().with_tracer(tracer);
        layer.with_filter(traced)
    });
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(traces)
        .try_init()
        .context("telemetry was set up before")?;
    Ok(telemetry)
}

/// The exporters, without making them the process's own.
fn build(
    settings: &TelemetrySettings,
) -> anyhow::Result<(Telemetry, Option<opentelemetry_sdk::trace::SdkTracer>)> {
    let resource = Resource::builder().with_service_name("centro").build();
    let metrics = Metrics::default();
    let exporter = opentelemetry_prometheus::exporter()
        .with_registry(metrics.0.clone())
        .build()?;
    let meter = SdkMeterProvider::builder()
        .with_resource(resource.clone())
        .with_reader(exporter)
        .build();
    let provider = if settings.otlp_endpoint.is_empty() {
        None
    } else {
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_tonic()
            .with_endpoint(&settings.otlp_endpoint)
            .build()
            .context("telemetry.otlp_endpoint: write an address like http://localhost:4317")?;
        let ratio = Sampler::TraceIdRatioBased(settings.trace_ratio);
        Some(
            SdkTracerProvider::builder()
                .with_resource(resource)
                .with_sampler(Sampler::ParentBased(Box::new(ratio)))
                .with_batch_exporter(exporter)
                .build(),
        )
    };
    let tracer = provider.as_ref().map(|provider| provider.tracer("centro"));
    Ok((
        Telemetry {
            tracer: provider,
            meter,
            metrics,
        },
        tracer,
    ))
}

impl Telemetry {
    /// A handle on the metrics, for whoever serves them.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// The metrics as Prometheus reads them.
    pub fn render_metrics(&self) -> String {
        self.metrics.render()
    }

    /// Sends what is still in memory and ends. May take as long as the collector, at most its time-out.
    pub fn shutdown(self) {
        if let Some(tracer) = self.tracer
            && let Err(error) = tracer.shutdown()
        {
            tracing::warn!(%error, "the last traces were not sent");
        }
        if let Err(error) = self.meter.shutdown() {
            tracing::debug!(%error, "metrics did not end cleanly");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::{KeyValue, metrics::MeterProvider};

    #[test]
    fn a_counter_is_rendered_for_prometheus() {
        let (telemetry, _) = build(&TelemetrySettings::default()).unwrap();
        let counter = telemetry
            .meter
            .meter("test")
            .u64_counter("contacts_queued")
            .build();
        counter.add(3, &[KeyValue::new("medium", "call")]);
        let text = telemetry.render_metrics();
        let line = text
            .lines()
            .find(|line| line.starts_with("contacts_queued_total{"))
            .unwrap();
        assert!(
            line.contains(r#"medium="call""#) && line.ends_with(" 3"),
            "{line}"
        );
        assert_eq!(telemetry.metrics().render(), text);
        telemetry.shutdown();
    }

    #[test]
    fn the_defaults_are_good_and_bad_values_name_their_key() {
        let good = TelemetrySettings::default();
        assert_eq!(good.validate(), Ok(()));
        let bad = TelemetrySettings {
            trace_ratio: 1.5,
            ..good.clone()
        };
        assert!(
            bad.validate()
                .unwrap_err()
                .contains("telemetry.trace_ratio")
        );
        let bad = TelemetrySettings {
            filter: "centro=shout".into(),
            ..good
        };
        assert!(bad.validate().unwrap_err().contains("telemetry.filter"));
    }
}
