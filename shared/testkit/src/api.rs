//! REST as a person's program speaks it: JSON values in, JSON values out, refusals as readable errors.

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, Method, header};
use serde_json::{Value, json};
use std::time::Duration;

/// A signed-in person.
#[derive(Clone)]
pub struct Api {
    http: Client,
    base: String,
    token: String,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Without parameters.
    pub content_type: String,
    /// The JSON body; null when it is empty or no JSON.
    pub body: Value,
}

impl Answer {
    /// Fails unless this is problem+json of the status with a `code`, which is returned.
    pub fn problem(&self, status: u16) -> Result<String> {
        ensure!(
            self.status == status,
            "status {} instead of {status}: {}",
            self.status,
            self.body
        );
        ensure!(
            self.content_type == "application/problem+json",
            "content type {}",
            self.content_type
        );
        let code = self.body["code"].as_str().unwrap_or_default();
        ensure!(!code.is_empty(), "no code in {}", self.body);
        Ok(code.to_owned())
    }
}

/// A count in ProtoJSON: a number, a number in a string, or absent for zero.
pub fn number(value: &Value) -> u64 {
    value
        .as_u64()
        .or_else(|| value.as_str()?.parse().ok())
        .unwrap_or_default()
}

impl Api {
    /// Signs in.
    pub async fn sign_in(base: &str, login: &str, password: &str) -> Result<Self> {
        Self::sign_in_to(base, "", login, password).await
    }

    /// Signs in to a tenant, which must be named where there are several.
    pub async fn sign_in_to(base: &str, tenant: &str, login: &str, password: &str) -> Result<Self> {
        let nobody = Self::with_token(base, "")?;
        let session = nobody
            .post(
                "/v1/sessions:signIn",
                json!({"tenant": tenant, "login": login, "password": password}),
            )
            .await?;
        let token = session["accessToken"].as_str().context("no access token")?;
        Self::with_token(base, token)
    }

    /// Speaks with the given access token; with none when it is empty.
    pub fn with_token(base: &str, token: &str) -> Result<Self> {
        let http = Client::builder().timeout(Duration::from_secs(15)).build()?;
        Ok(Self {
            http,
            base: base.to_owned(),
            token: token.to_owned(),
        })
    }

    /// The access token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Sends a request with a body of exactly these bytes, as JSON.
    pub async fn raw(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<Answer> {
        let response = self.send(method, path, body).await?;
        let status = response.status().as_u16();
        let kind = response
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        let content_type = kind.split(';').next().unwrap_or_default().trim().to_owned();
        let body = serde_json::from_slice(&response.bytes().await?).unwrap_or(Value::Null);
        Ok(Answer {
            status,
            content_type,
            body,
        })
    }

    /// Sends a request and gives the answer, whatever its status.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        self.raw(method, path, body.map(|body| body.to_string().into_bytes()))
            .await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<reqwest::Response> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .body(body);
        }
        Ok(request.send().await?)
    }

    async fn good(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let answer = self.call(method.clone(), path, body.as_ref()).await?;
        if !(200..300).contains(&answer.status) {
            bail!(
                "{method} {path} was refused with {}: {}",
                answer.status,
                answer.body
            );
        }
        Ok(answer.body)
    }

    /// GET; anything but success is an error. The same holds for the other verbs.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.good(Method::GET, path, None).await
    }

    /// POST.
    pub async fn post(&self, path: &str, body: Value) -> Result<Value> {
        self.good(Method::POST, path, Some(body)).await
    }

    /// PATCH.
    pub async fn patch(&self, path: &str, body: Value) -> Result<Value> {
        self.good(Method::PATCH, path, Some(body)).await
    }

    /// PUT.
    pub async fn put(&self, path: &str, body: Value) -> Result<Value> {
        self.good(Method::PUT, path, Some(body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Result<Value> {
        self.good(Method::DELETE, path, None).await
    }

    /// Logs an agent in to all assigned queues with the agent's only device.
    pub async fn log_in(&self, agent: &str, ready: bool) -> Result<Value> {
        self.post(
            &format!("/v1/agents/{agent}:logIn"),
            json!({"ready": ready}),
        )
        .await
    }

    /// Logs an agent out.
    pub async fn log_out(&self, agent: &str) -> Result<Value> {
        self.post(&format!("/v1/agents/{agent}:logOut"), json!({}))
            .await
    }

    /// Makes an agent ready.
    pub async fn set_ready(&self, agent: &str) -> Result<Value> {
        self.post(&format!("/v1/agents/{agent}:setReady"), json!({}))
            .await
    }

    /// Pauses an agent.
    pub async fn pause(&self, agent: &str, reason: &str) -> Result<Value> {
        self.post(
            &format!("/v1/agents/{agent}:pause"),
            json!({"reason": reason}),
        )
        .await
    }

    /// Ends an agent's wrap-up.
    pub async fn end_wrap_up(&self, agent: &str) -> Result<Value> {
        self.post(&format!("/v1/agents/{agent}:endWrapUp"), json!({}))
            .await
    }

    /// What an agent does now.
    pub async fn agent_status(&self, agent: &str) -> Result<Value> {
        self.get(&format!("/v1/agents/{agent}")).await
    }

    /// All queues as they are now.
    pub async fn queue_statuses(&self) -> Result<Vec<Value>> {
        self.list("/v1/queue-statuses", "queues").await
    }

    /// One queue as it is now.
    pub async fn queue_status(&self, queue: &str) -> Result<Value> {
        let all = self.queue_statuses().await?;
        all.into_iter()
            .find(|status| status["queueId"] == queue)
            .with_context(|| format!("no status of {queue}"))
    }

    /// Stays of contacts in queues, the latest first.
    pub async fn contacts(&self) -> Result<Vec<Value>> {
        self.list("/v1/contacts", "contacts").await
    }

    /// The queue-caller figures of a span (RFC 3339).
    pub async fn queue_caller_summary(&self, from: &str, to: &str) -> Result<Value> {
        self.get(&format!("/v1/reports/queue-callers?from={from}&to={to}"))
            .await
    }

    /// Recordings of a contact.
    pub async fn recordings(&self, contact: &str) -> Result<Vec<Value>> {
        self.list(&format!("/v1/recordings?contactId={contact}"), "recordings")
            .await
    }

    /// The audio of a recording.
    pub async fn download_recording(&self, id: &str) -> Result<Vec<u8>> {
        let response = self
            .send(Method::GET, &format!("/v1/recordings/{id}/audio"), None)
            .await?;
        ensure!(
            response.status().is_success(),
            "the recording was refused with {}",
            response.status()
        );
        Ok(response.bytes().await?.to_vec())
    }

    /// Creates a call queue.
    pub async fn create_call_queue(&self, queue: Value) -> Result<Value> {
        self.post("/v1/call-queues", queue).await
    }

    /// Creates a dial plan.
    pub async fn create_dial_plan(&self, plan: Value) -> Result<Value> {
        self.post("/v1/dial-plans", plan).await
    }

    /// Creates a number that leads to a dial plan.
    pub async fn create_number(&self, e164: &str, plan: &str) -> Result<Value> {
        self.post("/v1/numbers", json!({"e164": e164, "dialPlanId": plan}))
            .await
    }

    /// Creates a person.
    pub async fn create_user(&self, name: &str, role: &str, password: &str) -> Result<Value> {
        let login = format!("{}@demo.test", name.to_lowercase());
        let user =
            json!({"login": login, "displayName": name, "roles": [role], "password": password});
        self.post("/v1/users", user).await
    }

    /// Creates a telephone of a person; the answer holds its secret.
    pub async fn create_device(&self, name: &str, user: &str) -> Result<Value> {
        self.post("/v1/devices", json!({"displayName": name, "userId": user}))
            .await
    }

    /// Assigns an agent to a queue.
    pub async fn assign(&self, queue: &str, user: &str) -> Result<Value> {
        self.put(&format!("/v1/call-queues/{queue}/agents/{user}"), json!({}))
            .await
    }

    /// All pages of a list.
    async fn list(&self, path: &str, field: &str) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        let mut page = String::new();
        let join = if path.contains('?') { '&' } else { '?' };
        loop {
            let mut answer = self
                .get(&format!("{path}{join}pageSize=200&pageToken={page}"))
                .await?;
            if let Value::Array(items) = answer[field].take() {
                all.extend(items);
            }
            page = answer["nextPageToken"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            if page.is_empty() {
                return Ok(all);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_come_in_three_forms() {
        assert_eq!(
            (number(&json!(7)), number(&json!("7")), number(&Value::Null)),
            (7, 7, 0)
        );
    }

    #[tokio::test]
    async fn nobody_there_is_an_error_with_the_address() {
        let port = crate::free_port().unwrap();
        let error = Api::sign_in(&format!("http://127.0.0.1:{port}"), "a", "b")
            .await
            .err()
            .unwrap();
        assert!(format!("{error:#}").contains(&port.to_string()));
    }
}
