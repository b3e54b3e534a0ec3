//! `centro tenant create` and `centro user reset-password`: what must be possible when nobody can sign in. They work on the
//! data folder while no centre runs on it, through the identity service's own interface.

use crate::{
    SettingsArguments,
    acting::{self, Acting, Login},
    exit, first_start, run, settings,
    settings::Settings,
    wiring::For,
};
use anyhow::{Result, bail};
use centro_node::{Node, Role};
use clap::Args;
use std::{path::Path, process::ExitCode};

/// Longest short name of a tenant.
const SLUG: usize = 40;

#[derive(Args)]
pub struct CreateTenant {
    #[command(flatten)]
    settings: SettingsArguments,
    /// What the tenant is called, e.g. "Acme Insurance".
    #[arg(long)]
    name: String,
    /// What its owner types to sign in, usually an e-mail address.
    #[arg(long, value_name = "LOGIN")]
    owner_login: String,
    /// Short name used at sign-in; made from the name when left out.
    #[arg(long)]
    slug: Option<String>,
}

#[derive(Args)]
pub struct ResetPassword {
    #[command(flatten)]
    settings: SettingsArguments,
    /// Whose password is replaced.
    login: String,
    /// Short name of the person's tenant; needed where there are several.
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
}

/// Makes a tenant and prints its owner's password.
pub fn create_tenant(arguments: CreateTenant) -> ExitCode {
    let CreateTenant {
        settings,
        name,
        owner_login,
        slug,
    } = arguments;
    on_folder(&settings, Folder::MayBeNew, move |node: Node| async move {
        let slug = slug.unwrap_or_else(|| slug_of(&name));
        let owner = Login::generate(owner_login.trim());
        let tenant = acting::create_tenant(&node, &slug, &name, &owner).await?;
        // Whoever makes a tenant wants no demo, not even the rest of one.
        first_start::finished(node.data())?;
        Ok(format!(
            "Tenant {} ({}) is made. This password is shown once.\n  short name  {}\n  login       {}\n  password    {}\n",
            tenant.display_name, tenant.id, tenant.slug, owner.login, owner.password
        ))
    })
}

/// Gives a person a new password and prints it.
pub fn reset_password(arguments: ResetPassword) -> ExitCode {
    let ResetPassword {
        settings,
        login,
        tenant,
    } = arguments;
    on_folder(
        &settings,
        Folder::MustBeInUse,
        move |node: Node| async move {
            let tenants = acting::tenants(&node).await?;
            let short_names = || {
                let names: Vec<_> = tenants.iter().map(|tenant| tenant.slug.as_str()).collect();
                names.join(", ")
            };
            let found = match (&tenant, tenants.as_slice()) {
                (_, []) => bail!("there is no tenant yet; make one with `centro tenant create`"),
                (None, [only]) => only,
                (None, _) => bail!("say which tenant with --tenant: {}", short_names()),
                (Some(slug), _) => match tenants.iter().find(|known| known.slug == *slug) {
                    Some(found) => found,
                    None => bail!("there is no tenant {slug}; there are {}", short_names()),
                },
            };
            let acting = Acting::new(&node, found.id.parse()?)?;
            let Some(user) = acting.find_user(&login).await? else {
                bail!("nobody signs in to {} as {login}", found.slug);
            };
            let fresh = Login::generate(&user.login);
            acting.set_password(&user, &fresh.password).await?;
            let disabled = if user.disabled {
                "This person is disabled and cannot sign in until an administrator allows it.\n"
            } else {
                ""
            };
            Ok(format!(
                "The old password of {} is no longer good. This one is shown once.\n  login     {}\n  password  {}\n{disabled}",
                user.display_name, user.login, fresh.password
            ))
        },
    )
}

/// What a task expects of the data folder.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Folder {
    /// It is made where it is not there.
    MayBeNew,
    /// There are people in it; one without is a slip of the pen, and nothing is made of it.
    MustBeInUse,
}

/// Refuses a folder that is not what the task expects. Whose records are in a database needs none that was in use.
fn check_folder(data: &Path, expected: Folder, database: bool) -> Result<()> {
    let must = expected == Folder::MustBeInUse && !database;
    if must && !data.join("identity.db").is_file() {
        bail!(
            "no centre has run on {}: it holds no identity.db; name its folder with --data",
            data.display()
        );
    }
    Ok(())
}

/// Runs the identity service alone on the data folder for one task, and prints what the task says.
fn on_folder<F>(
    from: &SettingsArguments,
    expected: Folder,
    task: impl FnOnce(Node) -> F + Send + 'static,
) -> ExitCode
where
    F: Future<Output = Result<String>> + Send + 'static,
{
    let mut settings = match settings::load(from) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(exit::USAGE);
        }
    };
    let database = !settings.records.url.is_empty();
    if let Err(error) = check_folder(&settings.node.data, expected, database) {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    quieten(&mut settings);
    let done = run::within(settings, move |inside: run::Inside| async move {
        let started = inside.start(&[Role::Identity], For::Task).await?;
        let done = task(started.node.clone()).await;
        inside.end(&started).await;
        done
    });
    match done {
        Ok(said) => {
            crate::say(&said);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            exit::of(&error)
        }
    }
}

/// What a short task logs: what is wrong, and who was given which right.
const LOGGED: &str = "warn,audit=info";

/// A short task opens no door, sends no traces and logs little.
fn quieten(settings: &mut Settings) {
    settings.node.grpc_bind.clear();
    settings.telemetry.otlp_endpoint.clear();
    settings.telemetry.filter = LOGGED.to_owned();
}

/// "Acme Insurance S.p.A." → `acme-insurance-s-p-a`.
fn slug_of(name: &str) -> String {
    let words: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' })
        .collect();
    let slug = words.split_whitespace().collect::<Vec<_>>().join("-");
    slug.chars()
        .take(SLUG)
        .collect::<String>()
        .trim_end_matches('-')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_made_of_a_name() {
        assert_eq!(slug_of("Acme Insurance S.p.A."), "acme-insurance-s-p-a");
        assert_eq!(slug_of("  --  "), "");
        assert_eq!(slug_of(&"x y ".repeat(40)).len(), 39);
    }
    #[test]
    fn a_folder_without_people_is_refused_where_there_must_be_some() {
        let data = tempfile::tempdir().unwrap();
        let missing = data.path().join("mistyped");
        let error = check_folder(&missing, Folder::MustBeInUse, false).unwrap_err();
        assert!(error.to_string().contains("--data"), "{error}");
        check_folder(&missing, Folder::MayBeNew, false).unwrap();
        check_folder(&missing, Folder::MustBeInUse, true).unwrap();
        assert!(!missing.exists(), "looking makes nothing");
        std::fs::write(data.path().join("identity.db"), "").unwrap();
        check_folder(data.path(), Folder::MustBeInUse, false).unwrap();
    }
}
