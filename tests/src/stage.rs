//! A centre for one test. When the test fails its folder stays, and the end of its log is printed.

use anyhow::Result;
use centro_testkit::{Centre, CentreBuilder};

/// Runs a test on a centre with the default settings.
pub async fn with_centre(test: impl AsyncFnOnce(&mut Centre) -> Result<()>) -> Result<()> {
    with(Centre::builder(), test).await
}

/// Runs a test on a centre with settings of its own. No centre may panic, whatever the test looks at.
pub async fn with(
    builder: CentreBuilder,
    test: impl AsyncFnOnce(&mut Centre) -> Result<()>,
) -> Result<()> {
    let mut centre = builder.start().await?;
    let outcome = match test(&mut centre).await {
        Ok(()) => centre.assert_no_panic(),
        Err(error) => Err(error),
    };
    if outcome.is_err() {
        let folder = centre.keep_folder();
        eprintln!(
            "the centre's log ends:\n{}\nall of it: {}",
            centre.log_tail(40),
            folder.display()
        );
    }
    outcome
}
