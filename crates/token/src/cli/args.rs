use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::texts::Texts;

/// What the command line says. Help texts are in the locales, under `help-…`.
#[derive(Debug, Parser)]
#[command(name = "warifu-token", version, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[arg(value_name = "SERVICE_URL")]
    pub(crate) service_url: Option<String>,

    #[arg(long, value_name = "PLACE", value_enum)]
    pub(crate) key_store: Option<KeyStoreChoice>,

    #[arg(long, value_name = "FILE", env = "WARIFU_TOKEN_VAULT", global = true)]
    pub(crate) vault: Option<PathBuf>,

    #[arg(
        long,
        value_name = "FILE",
        env = "WARIFU_TOKEN_PASSPHRASE_FILE",
        global = true
    )]
    pub(crate) passphrase_file: Option<PathBuf>,

    /// Read before the rest, by [`language_of`]; it stands here to be checked and shown.
    #[arg(long, value_name = "LANGUAGE", value_parser = ["ja", "en"], global = true)]
    pub(crate) lang: Option<String>,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Show {
        #[arg(long)]
        json: bool,
    },
    Copy {
        #[arg(value_enum, default_value_t = CopyWhat::Code)]
        what: CopyWhat,
    },
    Doctor,
    Remove {
        #[arg(long)]
        yes: bool,
    },
}

/// Who shall keep the key of a new vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyStoreChoice {
    Os,
    Passphrase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CopyWhat {
    Code,
    Id,
}

/// The value of `--lang`, before the words are parsed: help and refusals depend on it.
pub(crate) fn language_of(words: &[OsString]) -> Option<String> {
    let mut words = words.iter().map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        match word.strip_prefix("--lang") {
            Some("") => return words.next().map(Into::into),
            Some(rest) => return rest.strip_prefix('=').map(str::to_owned),
            None if word == "--" => return None,
            None => {}
        }
    }
    None
}

/// Parses the words, the program's name first.
pub(crate) fn parse(texts: &Texts, words: &[OsString]) -> Result<Args, clap::Error> {
    let matches = command(texts).try_get_matches_from(words)?;
    Args::from_arg_matches(&matches)
}

/// The command with its help in the reader's language.
fn command(texts: &Texts) -> clap::Command {
    let mut command = described(Args::command(), texts, "help")
        .after_help(texts.say("help-after"))
        .disable_version_flag(true)
        .arg(
            Arg::new("version")
                .short('V')
                .long("version")
                .action(clap::ArgAction::Version)
                .help(texts.say("help-version")),
        );
    let names: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    for name in names {
        let prefix = format!("help-{name}");
        command = command.mut_subcommand(name, |sub| described(sub, texts, &prefix));
    }
    command
}

fn described(command: clap::Command, texts: &Texts, prefix: &str) -> clap::Command {
    command
        .about(texts.say(&format!("{prefix}-about")))
        .mut_args(|arg: Arg| {
            let key = format!("{prefix}-{}", arg.get_id().as_str().replace('_', "-"));
            arg.help(texts.say(&key))
        })
        .disable_help_flag(true)
        .arg(
            Arg::new("help")
                .short('h')
                .long("help")
                .action(clap::ArgAction::Help)
                .help(texts.say("help-help")),
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Language;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn the_language_is_known_before_the_words_are_parsed() {
        for line in [
            "warifu-token --lang ja show",
            "warifu-token show --lang=ja",
            "warifu-token --bad --lang ja",
        ] {
            assert_eq!(language_of(&words(line)).as_deref(), Some("ja"), "{line}");
        }
        assert_eq!(language_of(&words("warifu-token show")), None);
        assert_eq!(language_of(&words("warifu-token --language x")), None);
    }

    #[test]
    fn every_word_of_the_command_line_has_a_help_text_in_both_languages() {
        for language in [Language::Japanese, Language::English] {
            let texts = Texts::new(language);
            let mut command = command(&texts);
            command.build();
            let mut helps = vec![command.render_long_help().to_string()];
            for sub in command.get_subcommands_mut() {
                helps.push(sub.render_long_help().to_string());
            }
            for help in helps {
                // A missing text shows as its key.
                assert!(!help.contains("help-"), "{help}");
            }
        }
    }

    #[test]
    fn an_address_and_a_command_are_told_apart() {
        let texts = Texts::new(Language::English);
        let args = parse(
            &texts,
            &words("warifu-token https://token.example.com --key-store os"),
        )
        .unwrap();
        assert_eq!(
            args.service_url.as_deref(),
            Some("https://token.example.com")
        );
        assert_eq!(args.key_store, Some(KeyStoreChoice::Os));
        let args = parse(&texts, &words("warifu-token copy id --vault here")).unwrap();
        assert!(matches!(
            args.command,
            Some(Command::Copy { what: CopyWhat::Id })
        ));
        assert_eq!(args.vault, Some(PathBuf::from("here")));
    }
}
