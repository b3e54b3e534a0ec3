//! The whole configuration, page by page, for the services that keep a copy.

use super::{Kind, Object, Store, decode, digests, entity::object as row};
use centro_kernel::Fault;
use centro_proto::configuration::{
    CallQueue, Change, Device, DialPlan, Number, OrganizationSettings, QueueAgent, RoutingProfile,
    Skill, Trunk, UserSkill,
};
use centro_store::fault;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// Objects read at once.
const ROWS: u64 = 200;
/// A page ends when it has this many bytes, so that it fits into a message.
const BYTES: usize = 1 << 20;

impl Store {
    /// A page of all tenants' objects in the order of their versions, and the token of the next. What changes
    /// meanwhile moves to the end, so nothing is missed.
    ///
    /// # Errors
    /// `page_token_unknown`.
    pub async fn snapshot(&self, token: &str) -> Result<(Vec<Change>, String), Fault> {
        let pages = self.pages.list("snapshot", "", &());
        let after = pages.after::<i64>(token)?.unwrap_or(0);
        let mut rows = row::Entity::find()
            .filter(row::Column::Version.gt(after))
            .order_by_asc(row::Column::Version)
            .limit(ROWS + 1)
            .all(&self.db.of_all())
            .await
            .map_err(fault)?;
        let mut bytes = 0;
        let fitting = rows.iter().take_while(|row| {
            let fits = bytes < BYTES;
            bytes += row.body.len();
            fits
        });
        let limit = (fitting.count() as u64).min(ROWS);
        let next = pages.next(&mut rows, limit, |row| row.version);
        let changes = rows.iter().map(change).collect::<Result<_, _>>()?;
        Ok((changes, next))
    }
}

fn change(row: &row::Model) -> Result<Change, Fault> {
    let credentials = digests(row);
    let object = match row.kind {
        k if k == Kind::CallQueue as i16 => decode::<CallQueue>(row)?.into_change(None),
        k if k == Kind::Number as i16 => decode::<Number>(row)?.into_change(None),
        k if k == Kind::DialPlan as i16 => decode::<DialPlan>(row)?.into_change(None),
        k if k == Kind::Device as i16 => decode::<Device>(row)?.into_change(credentials),
        k if k == Kind::Trunk as i16 => decode::<Trunk>(row)?.into_change(credentials),
        k if k == Kind::QueueAgent as i16 => decode::<QueueAgent>(row)?.into_change(None),
        k if k == Kind::Skill as i16 => decode::<Skill>(row)?.into_change(None),
        k if k == Kind::UserSkill as i16 => decode::<UserSkill>(row)?.into_change(None),
        k if k == Kind::RoutingProfile as i16 => decode::<RoutingProfile>(row)?.into_change(None),
        k if k == Kind::OrganizationSettings as i16 => {
            decode::<OrganizationSettings>(row)?.into_change(None)
        }
        other => {
            return Err(Fault::internal(format_args!(
                "row {} has the unknown kind {other}",
                row.id
            )));
        }
    };
    Ok(Change {
        tenant_id: row.tenant.clone(),
        version: u64::try_from(row.version).unwrap_or(0),
        deleted: false,
        object: Some(object),
    })
}
