//! What the first start of a centre writes for scripts.

use serde::Deserialize;

/// Addresses, logins and devices of the demo tenant.
#[derive(Debug, Clone, Deserialize)]
pub struct Credentials {
    /// Base address of pages and API, e.g. `http://127.0.0.1:8080`.
    pub http: String,
    /// Address for SIP over UDP and TCP, e.g. `127.0.0.1:5060`.
    pub sip: String,
    /// Short name of the tenant.
    pub tenant: String,
    /// SIP realm.
    pub realm: String,
    /// Who may do everything.
    pub owner: Login,
    /// Who watches the floor and hears recordings.
    pub supervisor: Login,
    /// Anna and Bruno serve both queues, Chiara Sales, Davide Support.
    pub agents: Vec<Agent>,
    /// Numbers that callers dial; the first leads to Sales, the second to Support.
    pub numbers: Vec<String>,
    /// Sales and Support.
    pub queues: Vec<Queue>,
}

/// How a person signs in.
#[derive(Debug, Clone, Deserialize)]
pub struct Login {
    /// What is typed as the name.
    pub login: String,
    /// The generated password.
    pub password: String,
}

/// An agent and the agent's telephone.
#[derive(Debug, Clone, Deserialize)]
pub struct Agent {
    /// First name.
    pub display_name: String,
    /// What the agent types to sign in.
    pub login: String,
    /// The generated password.
    pub password: String,
    /// Id of the user.
    pub user_id: String,
    /// Id of the telephone.
    pub device_id: String,
    /// What colleagues dial.
    pub extension: String,
    /// SIP user name of the telephone.
    pub username: String,
    /// SIP password of the telephone.
    pub secret: String,
}

/// A queue and the number that leads to it.
#[derive(Debug, Clone, Deserialize)]
pub struct Queue {
    /// Id of the queue.
    pub id: String,
    /// Its name.
    pub display_name: String,
    /// What colleagues dial.
    pub extension: String,
    /// What callers dial.
    pub number: String,
}
