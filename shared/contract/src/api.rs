//! Every RPC of the installation: who may call it, whether it is audited, where it lives in REST. Read from the
//! descriptor set; the first RPC that nobody thought about access for is an error, so the process does not start.

use crate::{
    Role,
    options::{Extensions, text},
    permission::OPERATOR,
    router::Router,
    rules::{RuleError, Rules},
    template::Template,
};
use http::Method as Verb;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, MessageDescriptor, MethodDescriptor, Value,
};
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

/// Why the protos cannot be served.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ContractError {
    /// The option files are not part of the descriptor set.
    #[error(
        "the descriptor set lacks the option files (google.api.http, centro.auth, buf.validate)"
    )]
    NoOptions,
    /// Nobody said who may call it.
    #[error("{rpc}: no (centro.auth) option with a permission, public or internal")]
    NoAccess {
        /// Full name.
        rpc: String,
    },
    /// A permission needs a scope.
    #[error("{rpc}: a permission without a scope")]
    NoScope {
        /// Full name.
        rpc: String,
    },
    /// No role grants it, so nobody could call the RPC.
    #[error("{rpc}: no role grants the permission {permission}")]
    UnknownPermission {
        /// Full name.
        rpc: String,
        /// As written.
        permission: String,
    },
    /// The HTTP binding is wrong, or taken by another RPC.
    #[error("{rpc}: {why}")]
    Binding {
        /// Full name.
        rpc: String,
        /// What is wrong.
        why: String,
    },
    /// A field rule or default does not make sense.
    #[error(transparent)]
    Rule(#[from] RuleError),
}

/// Who may call an RPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Another service of this installation.
    Internal,
    /// Callers whose role grants it.
    Permission {
        /// E.g. `queues.edit`.
        permission: String,
        /// Over what.
        scope: Scope,
    },
}

/// What a permission reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The caller's tenant.
    Tenant,
    /// Resources assigned to the caller; the service filters.
    Assigned,
    /// Across tenants; operators only.
    System,
}

/// Where the HTTP body goes.
#[derive(Debug, Clone)]
pub enum Body {
    /// There is none.
    None,
    /// The whole request message.
    Message,
    /// One field of it.
    Field(FieldDescriptor),
}

/// One URL.
#[derive(Debug)]
pub struct Route {
    /// HTTP method.
    pub verb: Verb,
    /// Path.
    pub template: Template,
    /// Where the body goes.
    pub body: Body,
    /// The RPC behind it.
    pub method: Arc<Method>,
}

/// One RPC.
#[derive(Debug)]
pub struct Method {
    /// gRPC path, `/package.Service/Method`.
    pub path: http::uri::PathAndQuery,
    /// Its descriptor.
    pub descriptor: MethodDescriptor,
    /// Who may call it.
    pub access: Access,
    /// Whether each call leaves an audit record.
    pub audit: bool,
    /// The request's `update_mask`, if it has one.
    pub mask: Option<FieldDescriptor>,
    /// A `Create…` RPC: defaults apply (AIP-133).
    pub creates: bool,
}

/// All RPCs of a descriptor pool.
#[derive(Debug)]
pub struct Api {
    /// Where they were read from.
    pub pool: DescriptorPool,
    /// The options' descriptors.
    pub extensions: Extensions,
    /// By gRPC path.
    pub methods: HashMap<String, Arc<Method>>,
    /// All URLs, in the order of the protos.
    pub routes: Vec<Arc<Route>>,
    /// Finds a URL.
    pub router: Router<Route>,
    /// Field rules and defaults of all messages.
    pub rules: Rules,
}

static INSTALLED: LazyLock<Result<Arc<Api>, ContractError>> =
    LazyLock::new(|| Api::load(&centro_proto::POOL).map(Arc::new));

impl Api {
    /// The API of this build, read once per process.
    ///
    /// # Errors
    /// [`ContractError`] when an RPC breaks the rules; the process must not start then.
    pub fn installed() -> Result<Arc<Self>, ContractError> {
        INSTALLED.clone()
    }

    /// Reads every service of the packages `centro.*`.
    ///
    /// # Errors
    /// [`ContractError`] for the first RPC or field that breaks the rules.
    pub fn load(pool: &DescriptorPool) -> Result<Self, ContractError> {
        let extensions = Extensions::of(pool).ok_or(ContractError::NoOptions)?;
        let rules = Rules::load(pool, &extensions)?;
        let mut api = Self {
            pool: pool.clone(),
            extensions,
            methods: HashMap::new(),
            routes: vec![],
            router: Router::default(),
            rules,
        };
        for service in pool
            .services()
            .filter(|service| service.package_name().starts_with("centro."))
        {
            for descriptor in service.methods() {
                api.add(descriptor)?;
            }
        }
        Ok(api)
    }

    fn add(&mut self, descriptor: MethodDescriptor) -> Result<(), ContractError> {
        let rpc = descriptor.full_name().to_owned();
        let wrong = |why: String| ContractError::Binding {
            rpc: rpc.clone(),
            why,
        };
        let path = format!(
            "/{}/{}",
            descriptor.parent_service().full_name(),
            descriptor.name()
        );
        let options = descriptor.options();
        let (access, audit) = access(&rpc, Extensions::message(&options, &self.extensions.auth))?;
        let mask = descriptor
            .input()
            .get_field_by_name("update_mask")
            .filter(|field| {
                field
                    .kind()
                    .as_message()
                    .is_some_and(|m| m.full_name() == "google.protobuf.FieldMask")
            });
        let method = Arc::new(Method {
            path: path
                .parse()
                .map_err(|_| wrong("the name does not fit into a path".into()))?,
            access,
            audit,
            mask,
            creates: descriptor.name().starts_with("Create"),
            descriptor,
        });
        if let Some(rule) = Extensions::message(&options, &self.extensions.http) {
            if method.access == Access::Internal {
                return Err(wrong("an internal RPC has no URL".into()));
            }
            let more = rule
                .get_field_by_name("additional_bindings")
                .map(|more| more.into_owned());
            let more = more.as_ref().and_then(Value::as_list).unwrap_or_default();
            for rule in [&rule]
                .into_iter()
                .chain(more.iter().filter_map(Value::as_message))
            {
                let route = Arc::new(route(rule, &method).map_err(wrong)?);
                self.router
                    .add(route.verb.clone(), &route.template, route.clone())
                    .map_err(wrong)?;
                self.routes.push(route);
            }
        }
        self.methods.insert(path, method);
        Ok(())
    }
}

fn access(rpc: &str, auth: Option<DynamicMessage>) -> Result<(Access, bool), ContractError> {
    let rpc = rpc.to_owned();
    let Some(auth) = auth else {
        return Err(ContractError::NoAccess { rpc });
    };
    let flag = |name| {
        auth.get_field_by_name(name)
            .and_then(|v| v.as_bool())
            .unwrap_or(false)
    };
    let permission = text(&auth, "permission");
    let access = if flag("public") {
        Access::Public
    } else if flag("internal") {
        Access::Internal
    } else if permission.is_empty() {
        return Err(ContractError::NoAccess { rpc });
    } else {
        let scope = match auth
            .get_field_by_name("scope")
            .and_then(|v| v.as_enum_number())
        {
            Some(1) => Scope::Tenant,
            Some(2) => Scope::Assigned,
            Some(3) => Scope::System,
            _ => return Err(ContractError::NoScope { rpc }),
        };
        let known = match scope {
            Scope::System => OPERATOR,
            Scope::Tenant | Scope::Assigned => Role::all_permissions(),
        };
        if !known.contains(&permission.as_str()) {
            return Err(ContractError::UnknownPermission { rpc, permission });
        }
        Access::Permission { permission, scope }
    };
    Ok((access, flag("audit")))
}

fn route(rule: &DynamicMessage, method: &Arc<Method>) -> Result<Route, String> {
    let input = method.descriptor.input();
    let verbs = [
        ("get", Verb::GET),
        ("put", Verb::PUT),
        ("post", Verb::POST),
        ("delete", Verb::DELETE),
        ("patch", Verb::PATCH),
    ];
    let (verb, path) = verbs
        .into_iter()
        .find_map(|(name, verb)| {
            Some((
                verb,
                Some(text(rule, name)).filter(|path| !path.is_empty())?,
            ))
        })
        .ok_or("no HTTP verb")?;
    if method.descriptor.is_client_streaming() {
        return Err("client streaming has no HTTP form".into());
    }
    let body = match text(rule, "body").as_str() {
        "" => Body::None,
        "*" => Body::Message,
        name => Body::Field(field(&input, name)?),
    };
    Ok(Route {
        verb,
        template: Template::parse(&path, &input)?,
        body,
        method: method.clone(),
    })
}

fn field(message: &MessageDescriptor, name: &str) -> Result<FieldDescriptor, String> {
    message
        .get_field_by_name(name)
        .ok_or_else(|| format!("{} has no field {name}", message.full_name()))
}
