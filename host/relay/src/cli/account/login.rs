//! `posthouse account login`: a mailbox owner's consent, and the refresh token that comes of it.

mod browser;
mod device;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use posthouse_oauth::client::{Client, Issued};
use posthouse_oauth::consent::Application;
use posthouse_oauth::endpoint::Endpoint;
use posthouse_oauth::secret::Secret;
use posthouse_upstream::provider::ProviderKind;

use super::private::{self, Existing};
use crate::cli::terminal::{Style, say, styled};
use crate::config;
use crate::config::provider::{DIRECTORY, DIRECTORY_PLACE, Provider};

/// Whose consent, and for what.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Options {
    /// The provider: gmail, outlook, outlook-us-gov, outlook-china, or one of the configuration's
    #[arg(long)]
    provider: String,
    /// The application's id
    #[arg(long)]
    client_id: String,
    /// A file with the application's secret, where it has one
    #[arg(long)]
    client_secret_file: Option<PathBuf>,
    /// Microsoft's directory (tenant): its id or domain, organizations, consumers or common
    #[arg(long)]
    directory: Option<String>,
    /// The mailbox
    #[arg(long)]
    address: Option<String>,
    /// The file for the refresh token: made with mode 0600, not overwritten
    #[arg(long, short)]
    output: PathBuf,
    /// Overwrite the file
    #[arg(long)]
    force: bool,
    /// Ask in a browser on this machine, at Microsoft too
    #[arg(long)]
    browser: bool,
    /// The port on 127.0.0.1 that the browser comes back to; 0 lets the system choose
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// A configuration file whose providers are known besides the built-in ones
    #[arg(long, short, env = "POSTHOUSE_CONFIG")]
    config: Option<PathBuf>,
}

/// Where consent is asked for.
struct Places {
    application: Application,
    token: Endpoint,
    browser: Option<Endpoint>,
    device: Option<Endpoint>,
    kind: ProviderKind,
}

pub(super) async fn login(options: &Options) -> Result<ExitCode, String> {
    if options.output.exists() && !options.force {
        let file = options.output.display();
        return Err(format!("{file} exists; name another file with --output, or overwrite it with --force"));
    }
    let provider = provider(options)?;
    let places = places(options, &provider)?;
    let client = Client::new(None).map_err(|error| error.to_string())?;
    let issued = match (&places.device, &places.browser) {
        (Some(page), _) if !options.browser => device::consent(&client, &places, page).await?,
        (_, Some(page)) => browser::consent(&client, &places, page, options).await?,
        _ => {
            return Err(format!(
                "the provider `{}` has no authorize_url: give it one in [providers.{0}]",
                options.provider
            ));
        }
    };
    keep(options, &provider, &issued)
}

fn provider(options: &Options) -> Result<Provider, String> {
    let providers = config::providers(options.config.as_deref())?;
    let known = || providers.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let found = providers.get(&options.provider);
    found.cloned().ok_or_else(|| format!("there is no provider `{}`; known are {}", options.provider, known()))
}

fn places(options: &Options, provider: &Provider) -> Result<Places, String> {
    let directory = options.directory.as_deref().unwrap_or(DIRECTORY);
    let at = |url: &Option<String>| {
        let token_url = url.as_ref()?.replace(DIRECTORY_PLACE, directory);
        Some(Endpoint { token_url, scope: provider.scope.clone() })
    };
    let client_secret = options.client_secret_file.as_deref().map(secret_in).transpose()?;
    let application = Application { client_id: options.client_id.clone(), client_secret };
    let token = at(&provider.token_url)
        .ok_or_else(|| format!("the provider `{}` has no token_url: it knows no consent", options.provider))?;
    Ok(Places {
        application,
        token,
        browser: at(&provider.authorize_url),
        device: at(&provider.device_url),
        kind: provider.kind,
    })
}

fn secret_in(path: &Path) -> Result<Secret, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}

fn keep(options: &Options, provider: &Provider, issued: &Issued) -> Result<ExitCode, String> {
    let token = issued.rotated.as_ref().ok_or(
        "consent was given, but no refresh token came with it: at Microsoft the scope needs offline_access; at Google \
         remove the application's access at https://myaccount.google.com/permissions and try again",
    )?;
    let existing = if options.force { Existing::Replaced } else { Existing::Kept };
    private::write(&options.output, token.expose(), existing)?;
    say(&format!("\n{} The refresh token is in {}.", styled(Style::Good, "Done."), options.output.display()));
    say("\nIn the tenant's file (paths are relative to it):\n");
    say(&account(options, provider));
    say("Then `posthouse check`, and `posthouse account test TENANT/ID`.");
    Ok(ExitCode::SUCCESS)
}

/// The account as it would stand in the tenant's file.
fn account(options: &Options, provider: &Provider) -> String {
    let address = options.address.as_deref().unwrap_or("MAILBOX@EXAMPLE.COM");
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string();
    let mut text = format!(
        "[[accounts]]\nid = \"{}\"\naddress = \"{address}\"\nprovider = \"{}\"\n[accounts.grant]\nkind = \"refresh_token\"\n\
         client_id = \"{}\"\n",
        address.split('@').next().unwrap_or_default(),
        provider.name,
        options.client_id
    );
    if let Some(file) = &options.client_secret_file {
        text.push_str(&format!("client_secret = \"file:{}\"\n", absolute(file)));
    }
    text.push_str(&format!("refresh_token = \"file:{}\"\n", absolute(&options.output)));
    if let Some(directory) = &options.directory {
        text.push_str(&format!("directory = \"{directory}\"\n"));
    }
    text
}
