//! Why the bus could not be opened.

use lapin::{ErrorKind, uri::AMQPUri};

/// Why [`RabbitBus`](super::RabbitBus) could not be opened, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RabbitError {
    /// A setting has a value it may not have.
    #[error("{key} {problem}")]
    Settings {
        /// Its name in [`RabbitSettings`](super::RabbitSettings).
        key: &'static str,
        /// What it must be.
        problem: String,
    },
    /// Nobody answers, or somebody who is no broker.
    #[error(
        "RabbitMQ at {address} does not answer ({reason}): start it, or correct the host and port in bus.rabbitmq.url"
    )]
    Unreachable {
        /// Host and port.
        address: String,
        /// What the network said.
        reason: String,
    },
    /// The broker does not let this user in.
    #[error(
        "RabbitMQ at {address} refuses the user {user}: correct the user or the password in bus.rabbitmq.url"
    )]
    Refused {
        /// Host and port.
        address: String,
        /// Who was refused.
        user: String,
    },
    /// The broker let the user in, but not to what the bus needs.
    #[error(
        "RabbitMQ at {address} does not let {user} use the vhost {vhost} as the bus must ({reason}): create the vhost, and give the user the permission to configure, write and read what begins with bus.rabbitmq.exchange, or name another vhost in bus.rabbitmq.url"
    )]
    NotAllowed {
        /// Host and port.
        address: String,
        /// Who asked.
        user: String,
        /// Where.
        vhost: String,
        /// What the broker said.
        reason: String,
    },
    /// The exchange or the log exists with another type.
    #[error(
        "RabbitMQ at {address} has another {name} than the bus needs, or is older than 3.10 ({reason}): delete it, name another bus.rabbitmq.exchange, or start RabbitMQ 3.10 or later with the feature flag stream_queue"
    )]
    Unlike {
        /// Host and port.
        address: String,
        /// Exchange or queue.
        name: String,
        /// What the broker said.
        reason: String,
    },
}

pub(super) const ACCESS_REFUSED: u16 = 403;
pub(super) const PRECONDITION_FAILED: u16 = 406;
const NOT_ALLOWED: u16 = 530;

/// The broker's code for what it refuses.
pub(super) fn code(error: &lapin::Error) -> Option<u16> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => Some(error.get_id()),
        _ => None,
    }
}

pub(super) fn address(uri: &AMQPUri) -> String {
    format!("{}:{}", uri.authority.host, uri.authority.port)
}

impl RabbitError {
    /// What a failed connection means.
    pub(super) fn of_connection(uri: &AMQPUri, error: &lapin::Error) -> Self {
        let address = address(uri);
        let user = uri.authority.userinfo.username.clone();
        match code(error) {
            Some(ACCESS_REFUSED) => Self::Refused { address, user },
            Some(NOT_ALLOWED) => Self::not_allowed(uri, error),
            _ => Self::Unreachable {
                address,
                reason: error.to_string(),
            },
        }
    }

    /// What it means that exchange or log could not be declared.
    pub(super) fn of_topology(uri: &AMQPUri, name: &str, error: &lapin::Error) -> Self {
        match code(error) {
            Some(ACCESS_REFUSED | NOT_ALLOWED) => Self::not_allowed(uri, error),
            Some(PRECONDITION_FAILED) => Self::Unlike {
                address: address(uri),
                name: name.to_owned(),
                reason: error.to_string(),
            },
            _ => Self::of_connection(uri, error),
        }
    }

    fn not_allowed(uri: &AMQPUri, error: &lapin::Error) -> Self {
        Self::NotAllowed {
            address: address(uri),
            user: uri.authority.userinfo.username.clone(),
            vhost: uri.vhost.clone(),
            reason: error.to_string(),
        }
    }

    /// Whether nobody is there, so that waiting may help. Otherwise a setting has to be corrected.
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}
