#include <algorithm>

#include "client/commands/commands.hpp"
#include "client/commands/common.hpp"
#include "client/json_output.hpp"
#include "client/key_store.hpp"
#include "client/layout.hpp"
#include "protocol/keys/certificate.hpp"
#include "protocol/keys/key_file.hpp"
#include "protocol/records/outline.hpp"

namespace kith::client {
namespace {

struct ScopeName {
  const char* name;
  Scope scope;
};
constexpr ScopeName scope_names[] = {
    {"publish", Scope::publish}, {"speak", Scope::speak}, {"steward", Scope::steward}};

std::string scopes_text(Scopes scopes) {
  std::vector<std::string> names;
  for (const auto& [name, scope] : scope_names) {
    if ((scopes & static_cast<Scopes>(scope)) != 0) names.emplace_back(name);
  }
  return names.empty() ? "withdrawn" : joined(names, ", ");
}

Result<Scopes> parse_scopes(const std::vector<std::string>& names) {
  Scopes scopes = 0;
  for (const std::string& name : names) {
    const auto* known = std::ranges::find(scope_names, name, &ScopeName::name);
    if (known == std::end(scope_names)) {
      return fail(Errc::usage, "\"" + name + "\" is no scope; use publish, speak or steward");
    }
    scopes |= static_cast<Scopes>(known->scope);
  }
  if (scopes == 0) return fail(Errc::usage, "give at least one scope: publish, speak or steward");
  return scopes;
}

Result<PublicKey> parse_author(const std::string& given) {
  // As it comes out of a letter.
  const std::string text(trimmed(given));
  auto author = decode_author(text);
  if (!author || !is_valid_public_key(*author)) {
    return fail(Errc::usage, "\"" + text +
                                 "\" is no author name; give the line itself that kith init "
                                 "printed, which begins with kith-author-");
  }
  return author;
}

Scopes scopes_of(const local::AuthorsAnswer& authors, const PublicKey& author) {
  const auto row = std::ranges::find(authors.authors, author, &local::AuthorRow::author);
  return row == authors.authors.end() ? 0 : row->scopes;
}

/// Signs and sends one statement of a steward about `author`; scopes 0 withdraw.
Exit enrol(const PublicKey& author, Scopes scopes, const local::AuthorsAnswer& authors,
           Daemon& daemon, const Console& console, const Desk& desk) {
  const auto status = ask_member_status(daemon, console);
  if (!status) return status.exit;
  const auto key = open_key(desk);
  if (!key) return complain(console, key.error());

  if ((scopes_of(authors, key->public_key()) & static_cast<Scopes>(Scope::steward)) == 0) {
    return complain(console, fail(Errc::forbidden,
                                  "your key is not a steward's: only a steward enrols and "
                                  "withdraws; kith author list shows who is one"));
  }
  const std::uint32_t number = authors.next_number;
  const Enrolment enrolment{status->network, status->member, number,
                            author,          scopes,         key->public_key()};
  const auto answer = ask<local::EnrolAnswer>(daemon, console,
                                              local::EnrolRequest{sign_enrolment(enrolment, *key)});
  if (!answer) return answer.exit;

  const std::string name = encode_author(author);
  if (console.json) {
    console.out << json_of(Enrolled{name, scopes, number, answer->index}) << '\n';
  } else if (scopes == 0) {
    console.out << "withdrawn: " << name << '\n';
  } else {
    const Scopes before = scopes_of(authors, author);
    console.out << "enrolled: " << name << " may " << scopes_text(scopes)
                << (before == 0 ? "" : "; before: " + scopes_text(before)) << '\n';
  }
  return Exit::ok;
}

/// Whether nobody but `author` could enrol anybody.
bool is_last_steward(const local::AuthorsAnswer& authors, const PublicKey& author) {
  const auto is_steward = [](const local::AuthorRow& row) {
    return (row.scopes & static_cast<Scopes>(Scope::steward)) != 0;
  };
  bool steward = false;
  for (const auto& row : authors.authors) {
    if (is_steward(row) && row.author != author) return false;
    steward = steward || is_steward(row);
  }
  return steward;
}

}  // namespace

Exit author_enrol(const AuthorOptions& options, Daemon& daemon, const Console& console,
                  const Desk& desk) {
  const auto author = parse_author(options.author);
  if (!author) return complain(console, author.error());
  const auto scopes = parse_scopes(options.scopes);
  if (!scopes) return complain(console, scopes.error());
  const auto authors = ask<local::AuthorsAnswer>(daemon, console, local::AuthorsRequest{});
  if (!authors) return authors.exit;
  if (scopes_of(*authors, *author) == *scopes) {
    return complain(console, fail(Errc::conflict, "this author may " + scopes_text(*scopes) +
                                                      " already; nothing was changed"));
  }
  const bool stays_steward = (*scopes & static_cast<Scopes>(Scope::steward)) != 0;
  if (is_last_steward(*authors, *author) && !stays_steward && !options.yes) {
    return complain(console, fail(Errc::forbidden,
                                  "this is your only steward: with these scopes nobody could be "
                                  "enrolled again; enrol another steward first, or add --yes"));
  }
  const Scopes lost = scopes_of(*authors, *author) & static_cast<Scopes>(~*scopes);
  if (lost != 0 && !options.yes) {
    return complain(console, fail(Errc::forbidden,
                                  "--scope replaces what somebody may, and this would take away: " +
                                      scopes_text(lost) + "; name all scopes, or add --yes"));
  }
  return enrol(*author, *scopes, *authors, daemon, console, desk);
}

Exit author_withdraw(const AuthorOptions& options, Daemon& daemon, const Console& console,
                     const Desk& desk) {
  const auto author = parse_author(options.author);
  if (!author) return complain(console, author.error());
  const auto authors = ask<local::AuthorsAnswer>(daemon, console, local::AuthorsRequest{});
  if (!authors) return authors.exit;
  if (scopes_of(*authors, *author) == 0) {
    return complain(console, fail(Errc::not_found,
                                  "this author is not enrolled; kith author list "
                                  "shows who is"));
  }
  if (is_last_steward(*authors, *author) && !options.yes) {
    return complain(console, fail(Errc::forbidden,
                                  "this is your only steward: without one nobody can be enrolled "
                                  "again; enrol another first, or add --yes"));
  }
  return enrol(*author, 0, *authors, daemon, console, desk);
}

Exit author_list(Daemon& daemon, const Console& console, const Desk& desk) {
  const auto authors = ask<local::AuthorsAnswer>(daemon, console, local::AuthorsRequest{});
  if (!authors) return authors.exit;
  const auto own = own_author(desk);
  if (console.json) {
    console.out << json_of(*authors, own ? &*own : nullptr) << '\n';
    return Exit::ok;
  }
  Table table({"author", "may", ""});
  for (const auto& row : authors->authors) {
    table.add({encode_author(row.author), scopes_text(row.scopes),
               own && *own == row.author ? "(you)" : ""});
  }
  // An author's name is copied as a whole: never cut.
  Console whole = console;
  whole.width = 0;
  table.print(whole);
  return Exit::ok;
}

}  // namespace kith::client
