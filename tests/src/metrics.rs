//! What `/metrics` says.

use anyhow::{Context, Result, ensure};
use centro_testkit::{Centre, eventually};
use std::time::Duration;

/// A figure with its labels, e.g. `centro_media_legs`; what was never counted is 0.
pub async fn figure(centre: &Centre, name: &str) -> Result<f64> {
    figure_at(&centre.http(), name).await
}

/// The same of whoever answers at the address, e.g. `http://127.0.0.1:9100`.
pub async fn figure_at(address: &str, name: &str) -> Result<f64> {
    let answer = reqwest::get(format!("{address}/metrics")).await?;
    let text = answer.error_for_status()?.text().await?;
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map_or(Ok(0.0), |value| value.parse().context(text.clone()))
}

/// Waits until nothing of any call is left: no sound, no task, no connection.
pub async fn nothing_is_left(centre: &Centre, within: Duration) -> Result<()> {
    eventually("nothing of any call is left", within, async || {
        for name in [
            "centro_media_legs",
            "centro_calls",
            "centro_sip_connections",
        ] {
            let left = figure(centre, name).await?;
            ensure!(left == 0.0, "{name} is {left}");
        }
        Ok(())
    })
    .await
}
