//! What an administrator does over REST, as a client would.

use anyhow::{Context, Result, bail};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Tries of a request that the centre answers with “too many”.
const TRIES: usize = 20;
/// An access token is renewed after this.
const RENEW: Duration = Duration::from_secs(120);

/// A signed-in client.
pub struct Api {
    http: Client,
    base: String,
    sign_in: Value,
    session: tokio::sync::Mutex<Session>,
}

#[derive(Default)]
struct Session {
    token: String,
    since: Option<Instant>,
}

impl Api {
    /// Signs in.
    ///
    /// # Errors
    /// When the centre refuses or is not there.
    pub async fn sign_in(base: &str, tenant: &str, login: &str, password: &str) -> Result<Self> {
        let api = Self {
            http: Client::builder().timeout(Duration::from_secs(30)).build()?,
            base: base.trim_end_matches('/').to_owned(),
            sign_in: json!({"tenant": tenant, "login": login, "password": password}),
            session: Default::default(),
        };
        api.token().await?;
        Ok(api)
    }

    /// Reads.
    ///
    /// # Errors
    /// Any answer but success, with the problem's text.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.request(Method::GET, path, None).await
    }

    /// Creates or acts.
    ///
    /// # Errors
    /// See [`Api::get`].
    pub async fn post(&self, path: &str, body: Value) -> Result<Value> {
        self.request(Method::POST, path, Some(body)).await
    }

    /// Puts in place.
    ///
    /// # Errors
    /// See [`Api::get`].
    pub async fn put(&self, path: &str, body: Value) -> Result<Value> {
        self.request(Method::PUT, path, Some(body)).await
    }

    /// Reads bytes, such as a recording.
    ///
    /// # Errors
    /// See [`Api::get`].
    pub async fn bytes(&self, path: &str) -> Result<Vec<u8>> {
        let token = self.token().await?;
        let url = format!("{}{path}", self.base);
        let answer = self
            .http
            .get(url)
            .bearer_auth(token)
            .send()
            .await?
            .error_for_status()?;
        Ok(answer.bytes().await?.to_vec())
    }

    async fn request(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        for attempt in 1..=TRIES {
            let token = self.token().await?;
            let url = format!("{}{path}", self.base);
            let mut request = self.http.request(method.clone(), url).bearer_auth(token);
            if let Some(body) = &body {
                request = request.json(body);
            }
            let answer = request
                .send()
                .await
                .with_context(|| format!("{method} {path}"))?;
            let status = answer.status();
            let text = answer.text().await?;
            let busy = [
                StatusCode::TOO_MANY_REQUESTS,
                StatusCode::SERVICE_UNAVAILABLE,
            ];
            if busy.contains(&status) && attempt < TRIES {
                tokio::time::sleep(Duration::from_millis(100 * attempt as u64)).await;
                continue;
            }
            if !status.is_success() {
                bail!("{method} {path}: {status} {text}");
            }
            return Ok(serde_json::from_str(&text).unwrap_or(Value::Null));
        }
        bail!("{method} {path}: the centre stays too busy")
    }

    async fn token(&self) -> Result<String> {
        let mut session = self.session.lock().await;
        if session.since.is_none_or(|since| since.elapsed() > RENEW) {
            let url = format!("{}/v1/sessions:signIn", self.base);
            let answer = self.http.post(url).json(&self.sign_in).send().await?;
            let status = answer.status();
            let text = answer.text().await?;
            let document: Value = serde_json::from_str(&text).unwrap_or_default();
            let token = document["accessToken"].as_str();
            let token = token.with_context(|| format!("sign-in: {status} {text}"))?;
            session.token = token.to_owned();
            session.since = Some(Instant::now());
        }
        Ok(session.token.clone())
    }
}

/// A field that must be there.
///
/// # Errors
/// When it is not, or is no text.
pub fn text(document: &Value, field: &str) -> Result<String> {
    let value = document[field]
        .as_str()
        .with_context(|| format!("no {field} in {document}"))?;
    Ok(value.to_owned())
}
