//! The command line reads what it documents, and the documents fit a terminal.

use clap::{CommandFactory, Parser, error::ErrorKind};
use siyu_runtime::Secret;

use super::{Cli, Command, ImportCommand};
use crate::{exit::Exit, orders_file::Column};

fn refused(line: &str) -> (ErrorKind, String) {
    let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
    (error.kind(), error.to_string())
}

/// Every command with its path, groups included.
fn commands() -> Vec<(String, clap::Command)> {
    fn walk(path: &str, command: &clap::Command, into: &mut Vec<(String, clap::Command)>) {
        into.push((path.to_owned(), command.clone()));
        for sub in command.get_subcommands() {
            walk(&format!("{path} {}", sub.get_name()), sub, into);
        }
    }
    let mut root = Cli::command();
    root.build();
    let mut all = Vec::new();
    walk("siyu", &root, &mut all);
    all
}

#[test]
fn the_definitions_hold_together() {
    Cli::command().debug_assert();
}

#[test]
fn help_of_every_command_fits_the_terminal_and_says_what_each_argument_is() {
    const WIDEST: usize = 100;
    for (path, mut command) in commands() {
        let help = command.render_long_help().to_string();
        for line in help.lines() {
            assert!(console::measure_text_width(line) <= WIDEST, "{path}: {line}");
        }
        assert!(command.get_about().is_some(), "{path}");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{path}: {}", argument.get_id());
        }
    }
}

#[test]
fn every_command_that_does_something_is_explained() {
    for (path, command) in commands() {
        assert!(command.has_subcommands() || command.get_long_about().is_some(), "{path}");
    }
}

#[test]
fn every_command_that_does_something_has_an_example() {
    let without = ["config", "check", "rebuild"];
    for (path, mut command) in commands() {
        if command.has_subcommands() || without.contains(&command.get_name()) {
            continue;
        }
        let help = command.render_long_help().to_string();
        assert!(help.contains("Examples:\n  siyu "), "{path} has no example");
    }
}

#[test]
fn the_examples_in_the_help_can_be_typed() {
    for (path, mut command) in commands() {
        let help = command.render_long_help().to_string().replace("\\\n", "");
        let Some((_, examples)) = help.split_once("Examples:\n") else { continue };
        for line in examples.lines().take_while(|line| line.starts_with("  ")) {
            let Some((_, line)) = line.split_once("siyu ") else { continue };
            let line = line.split([')', '>', '<', '|']).next().unwrap().replace('"', "");
            let line = line.replace("Blue Bottle", "Blue");
            let words = std::iter::once("siyu").chain(line.split_whitespace());
            if let Err(error) = Cli::try_parse_from(words) {
                panic!("{path}: siyu {line}: {error}");
            }
        }
    }
}

#[test]
fn the_help_of_an_import_names_every_column() {
    let (_, mut command) =
        commands().into_iter().find(|(path, _)| path == "siyu import orders").unwrap();
    let help = command.render_long_help().to_string();
    for column in Column::ALL {
        assert!(help.contains(column.name()), "{column}");
    }
}

#[test]
fn the_help_lists_the_exit_codes() {
    let help = Cli::command().render_long_help().to_string();
    for exit in [Exit::Done, Exit::Failed, Exit::Usage, Exit::Rejected, Exit::Unreachable] {
        assert!(help.contains(&format!("\n  {}  ", exit as u8)), "{exit:?}");
    }
}

#[test]
fn what_cannot_be_meant_is_a_usage_error_that_names_the_argument() {
    let cases = [
        ("siyu import orders f.csv --batch 0", "--batch"),
        ("siyu import orders f.csv --batch 1001", "from 1 to 1000"),
        ("siyu import orders f.csv --platform Tmall", "a-z, 0-9"),
        ("siyu import orders f.csv --columns order_no", "OURS=THEIRS"),
        ("siyu import orders f.csv --columns order=x", "not one of our columns"),
        ("siyu import orders f.csv --currency XXX", "ISO 4217"),
        ("siyu import orders f.csv --zone Beijing", "IANA"),
        ("siyu import orders f.csv --shop=", "1 to 64 bytes"),
        ("siyu report --from yesterday", "--from"),
        (
            "siyu report --from 2024-06-31",
            "'--from <DATE>': must be a day of the calendar like 2024",
        ),
        ("siyu report --to 2024-6-1", "like 2024-06-30"),
        ("siyu serve orders", "order"),
        ("siyu up --http 7080", "--http"),
    ];
    for (line, words) in cases {
        let (_, message) = refused(line);
        assert!(message.contains(words), "{line}: {message}");
    }
}

#[test]
fn a_currency_may_be_written_small() {
    let cli = Cli::try_parse_from("siyu import orders f.csv --currency usd".split(' ')).unwrap();
    let Command::Import(ImportCommand::Orders(args)) = cli.command else { panic!("{cli:?}") };
    assert_eq!(args.currency.as_ref().map(siyu_kernel::Currency::code), Some("USD"));
}

#[test]
fn a_bare_call_shows_the_help() {
    let (kind, help) = refused("siyu");
    assert_eq!(kind, ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand);
    assert!(help.contains("Usage: siyu <COMMAND>"), "{help}");
}

#[test]
fn a_token_on_the_command_line_does_not_show_in_debug_output() {
    let line = ["siyu", "import", "orders", "f.csv", "--token", "s3cret"];
    let cli = Cli::try_parse_from(line).unwrap();
    assert!(!format!("{cli:?}").contains("s3cret"));
    let Command::Import(ImportCommand::Orders(args)) = cli.command else { panic!("{cli:?}") };
    assert_eq!(args.connection.token, Some(Secret::new("s3cret")));
    assert_eq!((args.batch.get(), args.in_flight.get(), args.platform.as_str()), (500, 4, "file"));
}
