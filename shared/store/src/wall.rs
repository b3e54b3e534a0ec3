//! The wall between tenants: PostgreSQL's row-level security on every table that has a tenant.
//!
//! A transaction says whose rows it is about ([`SETTING`]); it sees and writes those and no others, whatever its queries ask for.
//! Who says nothing sees nothing. The setting ends with the transaction, so a connection takes nothing to its next user. SQLite
//! has one process and no such wall.

use crate::Refused;
use centro_kernel::TenantId;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// Whose rows a transaction is about: a tenant's id, [`ALL`], or nobody's when empty.
pub const SETTING: &str = "centro.tenant";
const ALL: &str = "*";
/// The columns that say whose a row is.
const COLUMNS: &str = "'tenant', 'tenant_id'";
/// The policy that is the wall.
const WALL: &str = "tenant_wall";
/// The policy that lets sessions through that never speak of tenants: those of the release before walls.
const OLDER: &str = "before_walls";

/// Whose rows statements see and write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    OfNobody,
    Of(TenantId),
    OfAll,
}

impl Rows {
    /// How a transaction says it; nothing to say for nobody's, with which it begins.
    pub fn said(self) -> Option<Statement> {
        let whose = match self {
            Self::OfNobody => return None,
            Self::Of(tenant) => tenant.to_string(),
            Self::OfAll => ALL.to_owned(),
        };
        let text = "SELECT set_config($1, $2, true)";
        let values = [SETTING.into(), whose.into()];
        Some(Statement::from_sql_and_values(
            DbBackend::Postgres,
            text,
            values,
        ))
    }
}

/// The migration that raises the wall; the last of a service's migrations that may be on tables of a release without one. That
/// release goes on working on them. The next release removes what lets it through.
pub struct RaiseWall;

impl MigrationName for RaiseWall {
    fn name(&self) -> &str {
        "wall_1_raise"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for RaiseWall {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if db.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        raise(db).await?;
        for (table, _) in tables(db, "relrowsecurity").await? {
            let older = format!(
                "CREATE POLICY {OLDER} ON \"{table}\" USING (current_setting('{SETTING}', true) IS NULL)"
            );
            db.execute_unprepared(&older).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if db.get_database_backend() != DbBackend::Postgres {
            return Ok(());
        }
        for (table, _) in tables(db, "relrowsecurity").await? {
            let lower = format!(
                "DROP POLICY IF EXISTS {OLDER} ON \"{table}\"; DROP POLICY IF EXISTS {WALL} ON \"{table}\"; \
                 ALTER TABLE \"{table}\" NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY"
            );
            db.execute_unprepared(&lower).await?;
        }
        Ok(())
    }
}

/// Raises the wall on every table with a tenant on which it does not stand, and says which.
pub async fn raise(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    let stands = format!(
        "relrowsecurity AND relforcerowsecurity AND EXISTS \
         (SELECT 1 FROM pg_policy WHERE polrelid = pg_class.oid AND polname = '{WALL}')"
    );
    let mut raised = Vec::new();
    for (table, column) in tables(db, &format!("NOT ({stands})")).await? {
        // In parentheses with SELECT it is read once per statement and not for each row.
        let said = format!("(SELECT current_setting('{SETTING}', true))");
        let wall = format!(
            "DROP POLICY IF EXISTS {WALL} ON \"{table}\"; \
             CREATE POLICY {WALL} ON \"{table}\" USING (\"{column}\" = {said} OR {said} = '{ALL}'); \
             ALTER TABLE \"{table}\" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
        );
        db.execute_unprepared(&wall).await?;
        raised.push(table);
    }
    Ok(raised)
}

/// Lets nobody through any more who never speaks of tenants: on tables that were just made no older release works.
pub async fn close(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    for (table, _) in tables(db, "relrowsecurity").await? {
        let close = format!("DROP POLICY IF EXISTS {OLDER} ON \"{table}\"");
        db.execute_unprepared(&close).await?;
    }
    Ok(())
}

/// Refuses a role to which the wall is air.
pub async fn check_role(db: &impl ConnectionTrait) -> Result<(), Refused> {
    let text = "SELECT rolname::text AS role, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user";
    let asked = Statement::from_string(DbBackend::Postgres, text);
    let Some(row) = db.query_one_raw(asked).await? else {
        return Ok(());
    };
    let (is_super, bypasses): (bool, bool) = (
        row.try_get("", "rolsuper")?,
        row.try_get("", "rolbypassrls")?,
    );
    if !is_super && !bypasses {
        return Ok(());
    }
    Err(Refused::Unwalled {
        role: row.try_get("", "role")?,
        is_what: if is_super {
            "is a superuser"
        } else {
            "has BYPASSRLS"
        },
    })
}

/// The service's tables that have a tenant, and the column that says so.
async fn tables(db: &impl ConnectionTrait, which: &str) -> Result<Vec<(String, String)>, DbErr> {
    let text = format!(
        "SELECT relname::text AS name, attname::text AS col FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid \
         WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT attisdropped \
         AND attname IN ({COLUMNS}) AND ({which}) ORDER BY relname"
    );
    let asked = Statement::from_string(DbBackend::Postgres, text);
    let rows = db.query_all_raw(asked).await?;
    let read = rows
        .iter()
        .map(|row| Ok((row.try_get("", "name")?, row.try_get("", "col")?)));
    read.collect()
}
