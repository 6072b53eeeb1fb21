--[[
  Replaces a shared record, if it still has the version that its writer read.

  KEYS[1]  hash    the shared records: key → version, a space, JSON
  ARGV[1]  string  key of the record
  ARGV[2]  number  the version that the writer read; 0 when there was no record
  ARGV[3]  JSON    the new value

  Returns { 'written' } or { 'newer' } when the record has another version, also when this very write is sent twice.
  Errors  none of its own.
]]
local records = KEYS[1]
local key, version, value = ARGV[1], tonumber(ARGV[2]), ARGV[3]

local stored = redis.call('HGET', records, key)
if tonumber(string.match(stored or '', '^%d+') or 0) ~= version then
  return { 'newer' }
end
redis.call('HSET', records, key, string.format('%d %s', version + 1, value))
return { 'written' }
