//! People of a tenant.

use super::{Desk, id, is_owner, message, required};
use crate::{
    core::{
        person,
        roles::{self, Roles},
    },
    store::{NewUser, UserChange},
};
use centro_contract::{principal, status::from_fault};
use centro_kernel::{Code, Fault, UserId, name};
use centro_proto::identity::{self as pb, users_server::Users};
use centro_store::page;
use tonic::{Request, Response, Status};

#[tonic::async_trait]
impl Users for Desk {
    async fn list_users(
        &self,
        request: Request<pb::ListUsersRequest>,
    ) -> Result<Response<pb::ListUsersResponse>, Status> {
        let (tenant, _) = principal(&request)?;
        let asked = request.into_inner();
        let role = match asked.role {
            0 => None,
            role => Some(roles::from_proto(role).map_err(from_fault)?),
        };
        let limit = page::limit(asked.page_size);
        let page = self
            .store
            .users(tenant, role, limit, &asked.page_token)
            .await;
        let (rows, next_page_token) = page.map_err(from_fault)?;
        let users = rows.into_iter().map(message::user).collect();
        Ok(Response::new(pb::ListUsersResponse {
            users,
            next_page_token,
        }))
    }

    async fn get_user(
        &self,
        request: Request<pb::GetUserRequest>,
    ) -> Result<Response<pb::User>, Status> {
        let (tenant, _) = principal(&request)?;
        let id: UserId = id("user", &request.into_inner().id)?;
        let row = self.store.user(tenant, id).await.map_err(from_fault)?;
        Ok(Response::new(message::user(row)))
    }

    async fn create_user(
        &self,
        request: Request<pb::CreateUserRequest>,
    ) -> Result<Response<pb::User>, Status> {
        let (tenant, who) = principal(&request)?;
        let user = required(request.into_inner().user, "user")?;
        let made = async {
            let roles = Roles::from_proto(&user.roles)?;
            roles::may_touch(is_owner(&who), Roles::default(), roles)?;
            let new = self.new_user(user, roles).await?;
            self.store.create_user(tenant, new, self.now()).await
        };
        let row = made.await.map_err(from_fault)?;
        Ok(Response::new(message::user(row)))
    }

    async fn update_user(
        &self,
        request: Request<pb::UpdateUserRequest>,
    ) -> Result<Response<pb::User>, Status> {
        let (tenant, who) = principal(&request)?;
        let asked = request.into_inner();
        let user = required(asked.user, "user")?;
        let id: UserId = id("user", &user.id)?;
        let etag = user.etag.clone();
        let made = async {
            let change = self.change(user, asked.update_mask).await?;
            self.store
                .update_user(tenant, id, &etag, is_owner(&who), change, self.now())
                .await
        };
        let row = made.await.map_err(from_fault)?;
        Ok(Response::new(message::user(row)))
    }

    async fn delete_user(
        &self,
        request: Request<pb::DeleteUserRequest>,
    ) -> Result<Response<()>, Status> {
        let (tenant, who) = principal(&request)?;
        let id: UserId = id("user", &request.into_inner().id)?;
        let done = self
            .store
            .delete_user(tenant, id, is_owner(&who), self.now())
            .await;
        done.map_err(from_fault)?;
        Ok(Response::new(()))
    }
}

impl Desk {
    /// Checks a person to be and hashes the password.
    pub(super) async fn new_user(&self, user: pb::User, roles: Roles) -> Result<NewUser, Fault> {
        let login = person::login(&user.login)?;
        let display_name = name::check(&user.display_name)?;
        person::password(&user.password, "/password")?;
        Ok(NewUser {
            login,
            display_name,
            roles,
            password_hash: self.passwords.hash(user.password).await?,
            disabled: user.disabled,
        })
    }

    /// The change that the mask's paths ask for. Without a mask: of every field that is not empty.
    async fn change(
        &self,
        user: pb::User,
        mask: Option<prost_types::FieldMask>,
    ) -> Result<UserChange, Fault> {
        let mut change = UserChange::default();
        let mut password = None;
        for path in paths(&user, mask) {
            match path.as_str() {
                "login" => change.login = Some(person::login(&user.login)?),
                "display_name" => change.display_name = Some(name::check(&user.display_name)?),
                "roles" => change.roles = Some(Roles::from_proto(&user.roles)?),
                "disabled" => change.disabled = Some(user.disabled),
                "password" => {
                    person::password(&user.password, "/password")?;
                    password = Some(user.password.clone());
                }
                // What the service sets is ignored, as AIP-203 wants.
                "id" | "create_time" | "etag" => {}
                other => {
                    let message = format_args!("a user has no field {other}");
                    return Err(
                        Fault::new(Code::Invalid, "field_unknown", message).at("/updateMask")
                    );
                }
            }
        }
        if let Some(password) = password {
            change.password_hash = Some(self.passwords.hash(password).await?);
        }
        Ok(change)
    }
}

fn paths(user: &pb::User, mask: Option<prost_types::FieldMask>) -> Vec<String> {
    if let Some(mask) = mask.filter(|mask| !mask.paths.is_empty()) {
        return mask.paths;
    }
    let filled = [
        ("login", !user.login.is_empty()),
        ("display_name", !user.display_name.is_empty()),
        ("roles", !user.roles.is_empty()),
        ("password", !user.password.is_empty()),
        ("disabled", user.disabled),
    ];
    filled
        .into_iter()
        .filter(|(_, filled)| *filled)
        .map(|(path, _)| path.to_owned())
        .collect()
}
