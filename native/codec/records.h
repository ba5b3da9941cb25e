// The flat records that cross between TypeScript and C++: one buffer for a whole batch, one for a whole
// reply. Words are 32 bits in the host's byte order. src/native/pack.ts and src/native/unpack.ts are the
// other side.
//
//   buffer  := message*
//   message := [id] [flags] [tag] [bodyWords] body
//     down: flags = extra nlmsg_flags; tag = 0
//     up:   flags = nlmsg_flags; tag = index of the request that it answers (0 for dumps and events)
//           id = kOpaque: a message that the tables do not know; body := [nlmsg_type] [byteLength] bytes
//   stamp   := [kStamp] [flags] [tag] [bodyWords] stampBody        down only, in the place of a message
//   body    := entry*
//   entry   := [field] value                 field: header fields first, then attributes, in the tables'
//   order
//     u8 u16 u32 s32 be16 be32 beS32 flag    [value]
//     u64 be64                               [low] [high]
//     string bytes                           [byteLength] bytes, padded with zeros to words; no terminating
//     NUL nested                                 [words] entry* list structs [words] ( [words] entry* )*
//     strings                                [words] ( [byteLength] bytes )*
//     select                                 [variant] [words] entry*   or   [kOpaque] [byteLength] bytes
//   entry   := [kOpaque] [attribute type with its flags] [byteLength] bytes      unknown, kept as it is
//
// A stamp makes many messages that differ in a few bytes: encoded ones with holes, and rows of values for the
// holes. flags are added to those of the template's nlmsghdr.
//   stampBody := [message id] [perMessage] [rowWords] [rows] [sites] site* head template row*
//   head, template := [byteLength] bytes, padded with zeros to words
//   site      := [offset in the template] [byteLength] [word of the row] [form]      form: StampForm
//   row       := rowWords words
// perMessage = 0: the head is empty, the template is a whole message, and each row makes one. Else the head
// is a message up to and with the nlattr of the nest that ends it, the template is what each row puts into
// the nest, and a message has that many rows at most.
#pragma once

#include <cstdint>

namespace nfbridge::codec {

inline constexpr std::uint32_t kOpaque = 0xffffffffu;
inline constexpr std::uint32_t kStamp = 0xfffffffeu;
inline constexpr std::uint32_t kMessageHeadWords = 4;
// Nests deeper than this are refused on the way down and kept as opaque bytes on the way up. The deepest that
// the kernel knows, a rule's element's expression's data, has nine.
inline constexpr int kMaxDepth = 24;

// How the words of a row become the bytes of a site.
enum class StampForm : std::uint32_t {
  kBytes = 0,      // as they are
  kBigEndian = 1,  // the lowest bytes of one word's number, in network byte order
  kHostOrder = 2,  // the same, in the host's
};

}  // namespace nfbridge::codec
