//! What an operator does to a cluster: commands, the API with an operator's token, probes.

use super::Cluster;
use crate::{Api, centre::binary};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::process::{Command, Output};

impl Cluster {
    /// `centro cluster …`, with the settings of the processes.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn operate(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(binary()?);
        command.arg("cluster").args(arguments);
        // As an operator's shell has them, so that a command may say otherwise.
        for (key, value) in self.settings.iter().filter_map(|s| s.split_once('=')) {
            let name = key.replace('.', "__").to_uppercase();
            command.env(format!("CENTRO__{name}"), value);
        }
        Ok(command.output()?)
    }

    /// The same, which must succeed, with `--json`: what it says.
    ///
    /// # Errors
    /// It fails, or says no JSON.
    pub fn operated(&self, arguments: &[&str]) -> Result<Value> {
        let output = self.operate(&[arguments, &["--json"]].concat())?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(
            output.status.success(),
            "centro cluster {arguments:?}: {}\n{said}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_str(&said).with_context(|| said)
    }

    /// The API, as an operator calls it.
    ///
    /// # Errors
    /// There is no token.
    pub fn operator(&self) -> Result<Api> {
        let output = self.operate(&["token", "--name", "test"])?;
        ensure!(output.status.success(), "{output:?}");
        let token = String::from_utf8(output.stdout)?;
        Api::with_token(&self.office.http(), token.trim())
    }

    /// What `centro cluster` must be told, as a settings file. It holds the secret.
    pub fn settings_file(&self) -> String {
        let of = |key: &str| {
            let mut values = self.settings.iter().filter_map(|s| s.strip_prefix(key));
            values.next().unwrap_or_default().to_owned()
        };
        format!(
            "[node]\nsecret = \"{}\"\n[cluster.redis]\nurl = \"{}\"\n",
            of("node.secret="),
            of("cluster.redis.url=")
        )
    }

    /// Settings of the processes that are started from now on.
    pub fn settings_from_now(&mut self, settings: &[&str]) {
        let settings = settings.iter().map(|setting| (*setting).to_owned());
        self.settings.extend(settings);
    }

    /// Where a process answers probes, e.g. `http://127.0.0.1:9100`.
    ///
    /// # Errors
    /// There is no such process.
    pub fn probes(&self, name: &str) -> Result<String> {
        let part = self.parts.get(name);
        let part = part.with_context(|| format!("there is no {name}"))?;
        Ok(format!("http://127.0.0.1:{}", part.probes))
    }
}
