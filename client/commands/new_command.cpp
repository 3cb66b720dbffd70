#include "client/commands/commands.hpp"
#include "client/json_output.hpp"
#include "client/layout.hpp"
#include "protocol/records/document.hpp"
#include "protocol/records/kind_table.hpp"
#include "storage/files/file.hpp"

namespace kith::client {
namespace {

Error unknown(const std::string& kind) {
  std::string said = "there is no form \"" + kind + "\"; there are:";
  for (const KindSpec& spec : kinds()) {
    if (spec.is_document) said += "\n  " + std::string(spec.name) + ": " + std::string(spec.help);
  }
  return fail(Errc::usage, said);
}

}  // namespace

Exit new_form(const NewOptions& options, const Console& console, const Desk& desk) {
  const KindSpec* kind = find_kind(options.kind);
  if (kind == nullptr || !kind->is_document) return complain(console, unknown(options.kind));

  FormMade made{options.kind, options.out, make_form(options.kind)};
  if (made.file.empty() && console.out_is_terminal && !console.json) {
    made.file = options.kind + ".md";
  }
  if (!made.file.empty()) {
    const auto written = files::create(desk.working_folder / made.file, view(made.form), 0644);
    if (!written && written.error().code == Errc::conflict) {
      return complain(console, fail(Errc::conflict, made.file + " exists already and was left as "
                                                                "it is; name another with --out "
                                                                "FILE"));
    }
    if (!written) return complain(console, fail(Errc::usage, "--out: " + written.error().detail));
  }

  if (console.json) {
    console.out << json_of(made) << '\n';
  } else if (made.file.empty()) {
    console.out << made.form;
  } else {
    console.out << "An empty form is in " << clean_line(made.file)
                << "\nFill it in, then type: kith publish " << shell_word(made.file) << '\n';
  }
  return Exit::ok;
}

}  // namespace kith::client
