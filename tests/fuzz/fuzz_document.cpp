#include <cstdlib>

#include "protocol/base/text.hpp"
#include "protocol/records/document.hpp"
#include "protocol/records/kind_table.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view file = kith::text({data, size});
  const kith::Parsed parsed = kith::parse_document(file);
  const kith::Document& document = parsed.document;
  if (!parsed.complaints.empty()) {
    (void)kith::describe("file.md", parsed.complaints);
    return 0;
  }
  // What is accepted is of a kind that people write, and its text is the end of the file.
  const kith::KindSpec* kind = kith::find_kind(document.kind);
  if (kind == nullptr || !kind->is_document || !file.ends_with(document.text)) std::abort();
  for (const kith::FieldSpec& spec : kind->fields) {
    if (spec.required && document.find(spec.name) == nullptr) std::abort();
  }
  if (!kith::is_utf8(document.title)) std::abort();
  return 0;
}
