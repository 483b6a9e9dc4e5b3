//! The program without its window: what the page's commands do. Every method may block (disk, key store, network,
//! Argon2id), so none is called on the window's thread.

use std::sync::{Mutex, MutexGuard, PoisonError};

use warifu_token::{
    Edge, HttpService, Keeper, Kept, KeySlot, KeyStoreError, OpenError, OsKeyStore, Passphrase,
    Platform, Service, ServiceAddress, SystemEdge, Token, Vault, VaultError, first_start, measure,
    remove,
};
use zeroize::Zeroizing;

use crate::held::Copied;
use crate::settings::Settings;
use crate::told::Told;
use crate::views::{CodesView, Found, HealthView, TokenView, What, Why};

/// Opens the key store of this session; tests have one of their own.
type OpenStore = fn() -> Result<OsKeyStore, KeyStoreError>;

/// The one token of this program.
pub(crate) struct Desk {
    vault: Vault,
    open_store: OpenStore,
    /// One command at a time works on the vault.
    turn: Mutex<()>,
    state: Mutex<State>,
    pub(crate) copied: Copied,
}

struct State {
    settings: Settings,
    token: Option<Token>,
    /// For a token that is still to be registered, where there is no key store.
    chosen: Option<Passphrase>,
    language: &'static str,
}

impl Desk {
    pub(crate) fn new(vault: Vault, open_store: OpenStore) -> Self {
        let settings = Settings::read(vault.path().with_file_name("desktop.json"));
        Self {
            vault,
            open_store,
            turn: Mutex::new(()),
            state: Mutex::new(State {
                settings,
                token: None,
                chosen: None,
                language: "ja",
            }),
            copied: Copied::default(),
        }
    }

    /// What there is, opened where that needs no passphrase.
    pub(crate) fn find(&self) -> Result<Found, Told> {
        let _turn = self.turn();
        if let Some(token) = self.token_view() {
            return Ok(Found::Token { token });
        }
        let header = match self.vault.header() {
            Ok(header) => header,
            Err(VaultError::Missing) => return Ok(self.nothing_found()),
            Err(VaultError::Damaged) => {
                return Ok(Found::Lost {
                    grouped: String::new(),
                    why: Why::Damaged,
                });
            }
            Err(error) => return Err(error.into()),
        };
        let grouped = header.credential_id.grouped();
        if matches!(header.key, KeySlot::Passphrase { .. }) {
            return Ok(Found::Locked { grouped });
        }
        match self.open(None) {
            Ok(token) => Ok(Found::Token {
                token: self.hold(token),
            }),
            Err(OpenError::Vault(error)) => match lost(&error) {
                Some(why) => Ok(Found::Lost { grouped, why }),
                None => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// A first start: registers at once unless something must be asked before (rule T1).
    fn nothing_found(&self) -> Found {
        if self.state().settings.service().is_none() {
            Found::Address
        } else if self.state().chosen.is_some() || self.usable_store().is_ok() {
            Found::None
        } else {
            Found::Passphrase
        }
    }

    fn usable_store(&self) -> Result<OsKeyStore, KeyStoreError> {
        (self.open_store)().and_then(|store| store.check(&SystemEdge).map(|()| store))
    }

    fn open(&self, passphrase: Option<Passphrase>) -> Result<Token, OpenError> {
        Token::open(
            &self.vault,
            || (self.open_store)().map_err(|error| OpenError::Vault(error.into())),
            || passphrase.ok_or(OpenError::PassphraseNeeded),
        )
    }

    /// Opens a vault under a passphrase.
    pub(crate) fn unlock(&self, typed: Zeroizing<String>) -> Result<(), Told> {
        let _turn = self.turn();
        // One that is too short to be chosen cannot be right.
        let passphrase = Passphrase::new(typed).map_err(|_| Told::of("wrong-passphrase"))?;
        let token = self.open(Some(passphrase))?;
        self.hold(token);
        Ok(())
    }

    /// Keeps a passphrase for the registration that follows.
    pub(crate) fn choose(&self, typed: Zeroizing<String>) -> Result<(), Told> {
        self.state().chosen = Some(Passphrase::new(typed)?);
        Ok(())
    }

    /// Registers a new token, unless another program did so meanwhile (rule T5).
    pub(crate) fn register(&self) -> Result<TokenView, Told> {
        let _turn = self.turn();
        let lock = self.vault.lock()?;
        if self.vault.exists()? {
            drop(lock);
            let token = self.open(None)?;
            return Ok(self.hold(token));
        }
        let (address, language) = {
            let state = self.state();
            (state.settings.service(), state.language)
        };
        let address = address.ok_or_else(|| Told::of("address-malformed"))?;
        let service = HttpService::new(address.clone(), language);
        let chosen = self.state().chosen.take();
        let begin = |keeper: &Keeper<'_>| {
            let service: &dyn Service = &service;
            let service = (&address, service);
            first_start(
                &self.vault,
                &lock,
                keeper,
                service,
                Platform::Desktop,
                &SystemEdge,
            )
        };
        let outcome = match &chosen {
            Some(passphrase) => begin(&Keeper::Passphrase(passphrase)),
            None => match self.usable_store() {
                Ok(store) => begin(&Keeper::OsKeyStore(&store)),
                // Never in the clear: there is no third place.
                Err(_) => return Err(Told::of("passphrase-needed")),
            },
        };
        match outcome {
            Ok(token) => Ok(self.hold(token)),
            Err(error) => {
                // For the next try, when the network is back.
                self.state().chosen = chosen;
                Err(error.into())
            }
        }
    }

    /// The customer has seen the welcome screen.
    pub(crate) fn welcome(&self) -> Result<TokenView, Told> {
        let mut state = self.state();
        let id = state.have()?.id().clone();
        state.settings.set_welcomed(&id)?;
        state.view()
    }

    /// The codes of this moment, by this machine's clock and what the service said of it.
    pub(crate) fn codes(&self) -> Result<CodesView, Told> {
        let codes = self.state().have()?.codes(SystemEdge.now())?;
        Ok(codes.into())
    }

    /// Asks the service for its time and writes down what that teaches (rule T6).
    pub(crate) fn learn(&self) -> Result<TokenView, Told> {
        let (service, keeper, id) = {
            let state = self.state();
            let token = state.have()?;
            let service = HttpService::new(token.service().clone(), state.language);
            (service, token.contact_keeper(), token.id().clone())
        };
        let asked = SystemEdge.now();
        let answer = service.time()?;
        let contact = measure(asked, answer.service_time, SystemEdge.now()).contact;
        let kept = keeper.keep(contact, &SystemEdge);
        let mut state = self.state();
        if matches!(kept, Ok(Kept::Gone)) {
            state.token = None;
        }
        // That it could not be written is no reason not to count with it.
        match &mut state.token {
            Some(token) if *token.id() == id => token.learn(contact),
            _ => return Err(Told::of("gone")),
        }
        state.view()
    }

    /// Copies for half a minute; the tray icon does so with no window open.
    pub(crate) fn copy(&self, what: What) -> Result<(), Told> {
        let text = {
            let state = self.state();
            let token = state.have()?;
            match what {
                What::Id => token.id().to_string(),
                What::Code => token.codes(SystemEdge.now())?.code.to_string(),
            }
        };
        self.copied.copy(Zeroizing::new(text))
    }

    /// Deletes the token and its key. The page has asked before (rule T8).
    pub(crate) fn remove(&self) -> Result<(), Told> {
        let _turn = self.turn();
        let lock = self.vault.lock()?;
        // What stays in the key store opens nothing any more.
        let _ = remove(&self.vault, &lock, self.open_store)?;
        let mut state = self.state();
        state.token = None;
        state.chosen = None;
        Ok(())
    }

    /// What the health screen shows; whether it starts with the system is the shell's to say.
    pub(crate) fn health(&self, starts: bool) -> Result<HealthView, Told> {
        let in_store = matches!(self.vault.header()?.key, KeySlot::OsKeyStore { .. });
        Ok(HealthView {
            keys: if in_store { "store" } else { "passphrase" },
            store: OsKeyStore::name(),
            service: self.service(),
            starts,
        })
    }

    /// The address of the service of this token, or of the next one.
    pub(crate) fn service(&self) -> String {
        let state = self.state();
        let of_token = state.token.as_ref().map(|token| token.service().clone());
        let address = of_token.or_else(|| state.settings.service());
        address.map(String::from).unwrap_or_default()
    }

    /// Where the next token registers itself. A token that is there stays with its service.
    pub(crate) fn set_service(&self, address: &str) -> Result<(), Told> {
        let address: ServiceAddress = address.parse()?;
        self.state().settings.set_service(&address)?;
        Ok(())
    }

    /// Whether codes can be copied.
    pub(crate) fn is_open(&self) -> bool {
        self.state().token.is_some()
    }

    /// The language of what the service says.
    pub(crate) fn speak(&self, language: &'static str) {
        self.state().language = language;
    }

    fn token_view(&self) -> Option<TokenView> {
        self.state().view().ok()
    }

    fn hold(&self, token: Token) -> TokenView {
        let mut state = self.state();
        let welcomed = state.settings.was_welcomed(token.id());
        let view = TokenView::of(&token, welcomed);
        state.token = Some(token);
        view
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn have(&self) -> Result<&Token, Told> {
        self.token.as_ref().ok_or_else(|| Told::of("gone"))
    }

    fn view(&self) -> Result<TokenView, Told> {
        let token = self.have()?;
        Ok(TokenView::of(token, self.settings.was_welcomed(token.id())))
    }
}

/// Whether no patience helps: the key store is there and does not have the key, or the vault is not sound.
fn lost(error: &VaultError) -> Option<Why> {
    match error {
        VaultError::Damaged => Some(Why::Damaged),
        VaultError::KeyStore(KeyStoreError::Gone | KeyStoreError::Garbled) => Some(Why::KeyGone),
        _ => None,
    }
}
