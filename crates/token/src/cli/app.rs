use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;

use warifu_token::{Edge, HttpService, ServiceAddress, SystemEdge, Token, Vault};

use crate::error::CliError;
use crate::texts::Texts;

/// What every command needs.
pub(crate) struct App {
    pub(crate) texts: Texts,
    pub(crate) vault: Vault,
    pub(crate) passphrase_file: Option<PathBuf>,
    pub(crate) edge: SystemEdge,
}

impl App {
    pub(crate) fn new(texts: Texts, vault: PathBuf, passphrase_file: Option<PathBuf>) -> Self {
        Self {
            texts,
            vault: Vault::at(vault),
            passphrase_file,
            edge: SystemEdge,
        }
    }

    /// Whether someone sits there, to read and to type.
    pub(crate) fn is_interactive() -> bool {
        io::stdin().is_terminal() && io::stdout().is_terminal()
    }

    /// Whether a passphrase can be asked for.
    pub(crate) fn can_prompt() -> bool {
        io::stdin().is_terminal()
    }

    pub(crate) fn service(&self, address: &ServiceAddress) -> HttpService {
        HttpService::new(address.clone(), self.texts.language().tag())
    }

    /// A line of the answer, to standard output.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), CliError> {
        writeln!(io::stdout(), "{text}").map_err(CliError::Output)
    }

    /// A remark beside the answer, to standard error.
    pub(crate) fn note(&mut self, text: &str) -> Result<(), CliError> {
        writeln!(io::stderr(), "{text}").map_err(CliError::Output)
    }

    /// Asks on standard error, so that standard output stays clean, and reads one line.
    pub(crate) fn ask(&mut self, question: &str) -> Result<String, CliError> {
        let mut stderr = io::stderr();
        write!(stderr, "{question} ")
            .and_then(|()| stderr.flush())
            .map_err(CliError::Output)?;
        let mut answer = String::new();
        io::stdin()
            .lock()
            .read_line(&mut answer)
            .map_err(CliError::Output)?;
        Ok(answer.trim().to_owned())
    }

    /// The warning of rule T6, where it applies.
    pub(crate) fn clock_warning(&self, token: &Token) -> Option<String> {
        let contact = token.contact();
        if contact.was_set_back(self.edge.now()) {
            return Some(self.texts.say("clock-set-back"));
        }
        contact
            .is_off()
            .then(|| self.texts.clock_off(contact.offset()))
    }
}
