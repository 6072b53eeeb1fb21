--[[
  Keeps a text beside a journal.

  KEYS[1]  hash    the session
  KEYS[2]  hash    its blobs: name → text
  ARGV[1]  number  fence of the lease
  ARGV[2]  string  id of its owner
  ARGV[3]  string  name of the blob
  ARGV[4]  string  its text

  Returns { 'kept' }, also when it was there, or { 'lease-lost' } when another owner took the session.
  Errors  none of its own.
]]
local session, blobs = KEYS[1], KEYS[2]
local fence, owner_id, name, text = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local stored = redis.call('HMGET', session, 'fence', 'ownerId')
if stored[1] ~= fence or stored[2] ~= owner_id then
  return { 'lease-lost' }
end
redis.call('HSET', blobs, name, text)
return { 'kept' }
