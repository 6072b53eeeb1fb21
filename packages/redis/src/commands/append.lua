--[[
  Adds entries to a journal and replaces the head, or does nothing.

  KEYS[1]   hash    the session
  KEYS[2]   list    its journal
  KEYS[3]   hash    its blobs; only if blobs are named
  ARGV[1]   number  fence of the lease
  ARGV[2]   string  id of its owner
  ARGV[3]   number  sequence of the entry that the new ones follow
  ARGV[4]   JSON    the new head
  ARGV[5]   string  names of the blobs kept for these entries, separated by spaces; empty: none
  ARGV[6…]  bytes   the entries, at least one, as stored and compared

  Returns { 'appended', last sequence }, also when these very entries are already there;
          { 'lease-lost' } when another owner took the session;
          { 'conflict' } when other entries are already there;
          { 'gap', last sequence } when the entry that they follow is not there;
          { 'journal-short', length of the journal, sequence of the head } when the two disagree;
          { 'blob-missing' } when a blob is not there: the server that took it was replaced.
  Errors  none of its own.

  The owner is checked as well as the fence: a server that lost its last writes may grant the same fence twice.
  Every read comes before the first write, because Redis does not undo what a failing script wrote.
]]
local session, journal, blobs = KEYS[1], KEYS[2], KEYS[3]
local fence, owner_id, after_seq, head = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local first = 6
local last_seq = after_seq + #ARGV - first + 1

local stored = redis.call('HMGET', session, 'fence', 'ownerId', 'seq')
local length = redis.call('LLEN', journal)
local seq = tonumber(stored[3] or 0)

if stored[1] ~= fence or stored[2] ~= owner_id then
  return { 'lease-lost' }
end
if length ~= seq then
  return { 'journal-short', length, seq }
end

if last_seq <= seq then
  local there = redis.call('LRANGE', journal, after_seq, last_seq - 1)
  for i, entry in ipairs(there) do
    if entry ~= ARGV[first + i - 1] then
      return { 'conflict' }
    end
  end
  return { 'appended', last_seq }
end
if after_seq > seq then
  return { 'gap', seq }
end
if after_seq < seq then
  return { 'conflict' }
end

-- Read whole: to ask only whether the field exists takes a further ACL right, and large entries are few.
for name in string.gmatch(ARGV[5], '%x+') do
  if not redis.call('HGET', blobs, name) then
    return { 'blob-missing' }
  end
end

-- Lua unpacks only some thousands of values at once.
for from = first, #ARGV, 1000 do
  redis.call('RPUSH', journal, unpack(ARGV, from, math.min(from + 999, #ARGV)))
end
redis.call('HSET', session, 'seq', last_seq, 'head', head)
return { 'appended', last_seq }
