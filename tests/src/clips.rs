//! The spoken clips that the product ships, recognised by their sound.

use anyhow::{Context, Result, ensure};
use centro_testkit::{RtpPeer, eventually, sound};
use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::SOON;

/// A shipped clip.
pub fn clip(language: &str, name: &str) -> Result<Vec<i16>> {
    let folder = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let file = folder.join(format!(
        "../services/telephony/media/clips/{language}/{name}.ulaw"
    ));
    let bytes = fs::read(&file).with_context(|| file.display().to_string())?;
    Ok(bytes.into_iter().map(sound::from_mu_law).collect())
}

/// Waits until the clip was heard since then.
pub async fn hears_clip(ear: &RtpPeer, since: Instant, language: &str, name: &str) -> Result<()> {
    let clip = clip(language, name)?;
    eventually(
        &format!("{name} is heard in {language}"),
        3 * SOON,
        async || {
            tokio::time::sleep(Duration::from_millis(500)).await; // a stretch to listen to
            let heard = ear.heard_since(since);
            ensure!(
                sound::contains(&clip, &heard),
                "not in {} samples",
                heard.len()
            );
            Ok(())
        },
    )
    .await
}
