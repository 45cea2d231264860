//! `posthouse account login`: a mailbox owner's consent, and the refresh token that comes of it.

mod browser;
mod device;
mod keeping;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use posthouse_oauth::client::{Client, Issued};
use posthouse_oauth::consent::Application;
use posthouse_oauth::endpoint::Endpoint;
use posthouse_oauth::grant::Grant as Asked;
use posthouse_oauth::secret::Secret;
use posthouse_upstream::provider::ProviderKind;

use self::keeping::Keeping;
use super::found;
use super::private::{self, Existing};
use crate::cli::admin_client::Reach;
use crate::cli::terminal::{Style, say, styled};
use crate::config;
use crate::config::account::{Account, Grant};
use crate::config::provider::{DIRECTORY, DIRECTORY_PLACE, Provider};

/// Whose consent, and for what.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Options {
    /// The account of the configuration, as TENANT/ID; its refresh token goes to the relay, or into its store
    #[arg(conflicts_with_all = ["provider", "client_id", "client_secret_file", "directory", "address"])]
    account: Option<String>,
    /// Without an account: the provider, one of gmail, outlook, outlook-us-gov, outlook-china, or of the configuration's
    #[arg(long, required_unless_present = "account")]
    provider: Option<String>,
    /// Without an account: the application's id
    #[arg(long, required_unless_present = "account")]
    client_id: Option<String>,
    /// Without an account: a file with the application's secret, where it has one
    #[arg(long)]
    client_secret_file: Option<PathBuf>,
    /// Without an account: Microsoft's directory (tenant): its id or domain, organizations, consumers or common
    #[arg(long)]
    directory: Option<String>,
    /// Without an account: the mailbox
    #[arg(long)]
    address: Option<String>,
    /// Put the refresh token into this file: made with mode 0600, not overwritten
    #[arg(long, short = 'o', alias = "output", required_unless_present = "account")]
    file: Option<PathBuf>,
    /// Overwrite the file
    #[arg(long)]
    force: bool,
    /// Ask in a browser on this machine, at Microsoft too
    #[arg(long)]
    browser: bool,
    /// The port on 127.0.0.1 that the browser comes back to; 0 lets the system choose
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The configuration file: of the account, or whose providers are known besides the built-in ones
    #[arg(long, short, env = "POSTHOUSE_CONFIG")]
    config: Option<PathBuf>,
    #[command(flatten)]
    reach: Reach,
}

/// Where the configuration is, where nobody says so.
const CONFIG: &str = "/etc/posthouse/posthouse.toml";

/// Where consent is asked for, and whose.
struct Places {
    application: Application,
    token: Endpoint,
    browser: Option<Endpoint>,
    device: Option<Endpoint>,
    kind: ProviderKind,
    /// The provider's name.
    provider: String,
    /// The mailbox, as a hint for whoever consents.
    mailbox: Option<String>,
}

pub(super) async fn login(options: &Options) -> Result<ExitCode, String> {
    if let Some(file) = options.file.as_ref().filter(|file| file.exists() && !options.force) {
        let file = file.display();
        return Err(format!("{file} exists; name another file with --file, or overwrite it with --force"));
    }
    let Some(name) = &options.account else {
        let provider = provider(options)?;
        let issued = consent(options, &places(options, &provider)?).await?;
        return keep(options, &provider, &issued);
    };
    let config = found::config(options.config.as_deref().unwrap_or(Path::new(CONFIG)))?;
    let account = found::account(&config, name)?;
    let places = places_of(account).ok_or_else(|| {
        format!("account {name} logs in with something else than a mailbox owner's consent (kind = \"refresh_token\")")
    })?;
    if let Some(file) = &options.file {
        let issued = consent(options, &places).await?;
        write(file, options, token(&issued)?)?;
        say("Name it in the account's grant: `refresh_token = \"file:PATH\"`.");
        return Ok(ExitCode::SUCCESS);
    }
    // Before anybody is asked: a consent that has nowhere to go would be lost.
    let keeping = Keeping::of(name, &config, &options.reach).await?;
    let issued = consent(options, &places).await?;
    keeping.keep(account, &config, token(&issued)?).await
}

async fn consent(options: &Options, places: &Places) -> Result<Issued, String> {
    let client = Client::new(None).map_err(|error| error.to_string())?;
    match (&places.device, &places.browser) {
        (Some(page), _) if !options.browser => device::consent(&client, places, page).await,
        (_, Some(page)) => browser::consent(&client, places, page, options.port).await,
        _ => Err(format!("the provider `{0}` has no authorize_url: give it one in [providers.{0}]", places.provider)),
    }
}

fn provider(options: &Options) -> Result<Provider, String> {
    let providers = config::providers(options.config.as_deref())?;
    let known = || providers.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let wanted = options.provider.as_deref().unwrap_or_default();
    let found = providers.get(wanted);
    found.cloned().ok_or_else(|| format!("there is no provider `{wanted}`; known are {}", known()))
}

fn at(url: Option<&String>, directory: &str, provider: &Provider) -> Option<Endpoint> {
    Some(Endpoint { token_url: url?.replace(DIRECTORY_PLACE, directory), scope: provider.scope.clone() })
}

fn places(options: &Options, provider: &Provider) -> Result<Places, String> {
    let directory = options.directory.as_deref().unwrap_or(DIRECTORY);
    let client_secret = options.client_secret_file.as_deref().map(secret_in).transpose()?;
    let client_id = options.client_id.clone().unwrap_or_default();
    let token = at(provider.token_url.as_ref(), directory, provider)
        .ok_or_else(|| format!("the provider `{}` has no token_url: it knows no consent", provider.name))?;
    Ok(Places {
        application: Application { client_id, client_secret },
        token,
        browser: at(provider.authorize_url.as_ref(), directory, provider),
        device: at(provider.device_url.as_ref(), directory, provider),
        kind: provider.kind,
        provider: provider.name.clone(),
        mailbox: options.address.clone(),
    })
}

/// The same for an account of the configuration; none where it lives on something else than a consent.
fn places_of(account: &Account) -> Option<Places> {
    let Grant::Token { endpoint, grant: Asked::RefreshToken { client_id, client_secret, .. }, .. } = &account.grant
    else {
        return None;
    };
    let provider = &account.provider;
    let directory = account.in_directory.as_deref().unwrap_or(DIRECTORY);
    Some(Places {
        application: Application { client_id: client_id.clone(), client_secret: client_secret.clone() },
        token: endpoint.clone(),
        browser: at(provider.authorize_url.as_ref(), directory, provider),
        device: at(provider.device_url.as_ref(), directory, provider),
        kind: provider.kind,
        provider: provider.name.clone(),
        mailbox: Some(account.user.clone()),
    })
}

fn secret_in(path: &Path) -> Result<Secret, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}

fn token(issued: &Issued) -> Result<&Secret, String> {
    issued.rotated.as_ref().ok_or_else(|| {
        "consent was given, but no refresh token came with it: at Microsoft the scope needs offline_access; at Google \
         remove the application's access at https://myaccount.google.com/permissions and try again"
            .to_owned()
    })
}

fn write(file: &Path, options: &Options, token: &Secret) -> Result<(), String> {
    let existing = if options.force { Existing::Replaced } else { Existing::Kept };
    private::write(file, token.expose(), existing)?;
    say(&format!("\n{} The refresh token is in {}.", styled(Style::Good, "Done."), file.display()));
    Ok(())
}

fn keep(options: &Options, provider: &Provider, issued: &Issued) -> Result<ExitCode, String> {
    let file = options.file.as_deref().unwrap_or(Path::new("refresh-token"));
    write(file, options, token(issued)?)?;
    say("\nIn the tenant's file (paths are relative to it):\n");
    say(&account(options, provider, file));
    say("Then `posthouse check`, and `posthouse account test TENANT/ID`.");
    Ok(ExitCode::SUCCESS)
}

/// The account as it would stand in the tenant's file.
fn account(options: &Options, provider: &Provider, token: &Path) -> String {
    let address = options.address.as_deref().unwrap_or("MAILBOX@EXAMPLE.COM");
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string();
    let mut text = format!(
        "[[accounts]]\nid = \"{}\"\naddress = \"{address}\"\nprovider = \"{}\"\n[accounts.grant]\nkind = \"refresh_token\"\n\
         client_id = \"{}\"\n",
        address.split('@').next().unwrap_or_default(),
        provider.name,
        options.client_id.as_deref().unwrap_or_default()
    );
    if let Some(file) = &options.client_secret_file {
        text.push_str(&format!("client_secret = \"file:{}\"\n", absolute(file)));
    }
    text.push_str(&format!("refresh_token = \"file:{}\"\n", absolute(token)));
    if let Some(directory) = &options.directory {
        text.push_str(&format!("directory = \"{directory}\"\n"));
    }
    text
}
