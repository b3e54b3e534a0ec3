//! The gate: an RPC without an access rule, two RPCs on one URL, or a rule that does not compile fails the build.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may stop at the first surprise

use centro_contract::{Access, Api, ContractError, Principal, Role, guard};
use centro_kernel::{TenantId, UserId};
use prost_reflect::DescriptorPool;

fn api() -> std::sync::Arc<Api> {
    Api::installed().expect("an RPC breaks the contract")
}

#[test]
fn every_rpc_says_who_may_call_it_and_no_two_share_a_url() {
    let api = api();
    assert!(api.methods.len() >= 40, "{} RPCs", api.methods.len());
    assert!(api.routes.len() >= 40, "{} routes", api.routes.len());
}

/// Said again and again by a machine: it tells that somebody is there, and changes nothing that anybody wants to trace.
/// What follows from its absence is told as a change of the agent's status.
const SIGNS_OF_LIFE: [&str; 1] = ["/centro.routing.v1.Agents/SeeDesktop"];

#[test]
fn what_changes_something_is_audited_unless_public_and_needs_more_than_viewing() {
    for route in api()
        .routes
        .iter()
        .filter(|route| route.verb != http::Method::GET)
    {
        let Access::Permission { permission, .. } = &route.method.access else {
            continue;
        };
        let sign = SIGNS_OF_LIFE.contains(&route.method.path.as_str());
        assert!(
            route.method.audit || sign,
            "{} changes something and is not audited",
            route.method.path
        );
        assert!(!permission.ends_with(".view"), "{}", route.method.path);
    }
}

/// Operators have no tenant: nothing of any tenant's is theirs.
#[test]
fn operators_get_what_is_for_the_whole_installation_and_nothing_else() {
    let name = "root".to_owned();
    let operator = Principal::Operator { name };
    let mut theirs = 0;
    for method in api().methods.values() {
        let system = matches!(
            &method.access,
            Access::Permission {
                scope: centro_contract::Scope::System,
                ..
            }
        );
        theirs += u32::from(system);
        assert_eq!(
            guard::decide(method, &operator).is_ok(),
            system || method.access == Access::Public,
            "{}",
            method.path
        );
    }
    assert!(theirs > 0);
}

#[test]
fn callers_get_what_their_role_grants_and_nothing_else() {
    let tenant = TenantId::from_u128(1);
    let service = Principal::Service {
        name: "routing".into(),
    };
    for method in api().methods.values() {
        for role in [Role::Owner, Role::Admin, Role::Supervisor, Role::Agent] {
            let user = Principal::User {
                tenant,
                user: UserId::from_u128(2),
                roles: vec![role],
            };
            let allowed = match &method.access {
                Access::Public => true,
                Access::Internal => false,
                Access::Permission { permission, .. } => role.grants(permission),
            };
            assert_eq!(
                guard::decide(method, &user).is_ok(),
                allowed,
                "{role:?} {}",
                method.path
            );
            assert_eq!(
                guard::decide(method, &Principal::Key { tenant, role }).is_ok(),
                allowed,
                "key {}",
                method.path
            );
        }
        let nobody = Principal::User {
            tenant,
            user: UserId::from_u128(2),
            roles: vec![],
        };
        assert_eq!(
            guard::decide(method, &nobody).is_ok(),
            method.access == Access::Public,
            "{}",
            method.path
        );
        let allowed = !matches!(method.access, Access::Permission { .. });
        assert_eq!(
            guard::decide(method, &service).is_ok(),
            allowed,
            "service {}",
            method.path
        );
    }
}

/// The same descriptors with something changed.
fn changed(change: impl Fn(&mut prost_types::FileDescriptorProto)) -> DescriptorPool {
    let mut files: Vec<_> = centro_proto::POOL
        .file_descriptor_protos()
        .cloned()
        .collect();
    files.iter_mut().for_each(change);
    let mut pool = DescriptorPool::new();
    pool.add_file_descriptor_protos(files).unwrap();
    pool
}

#[test]
fn an_rpc_without_the_option_keeps_the_process_from_starting() {
    let pool = changed(|file| {
        for method in file
            .service
            .iter_mut()
            .flat_map(|service| &mut service.method)
        {
            method.options = None;
        }
    });
    assert!(matches!(
        Api::load(&pool),
        Err(ContractError::NoAccess { .. })
    ));
}

#[test]
fn the_protos_load_from_their_encoded_form() {
    let pool = DescriptorPool::decode(centro_proto::DESCRIPTORS).unwrap();
    Api::load(&pool).unwrap();
}
