--[[
  Gives a lease back; without effect when another owner has the session.

  KEYS[1]  hash    the session
  ARGV[1]  number  fence of the lease
  ARGV[2]  string  id of its owner

  Returns { 'released' } or { 'lease-lost' }.
  Errors  none of its own.

  The fence stays, so that it only ever grows; `since` stays, because it names the row in the index. HDEL is allowed
  even when the server's memory is full, so a session can be released then.
]]
local session = KEYS[1]
local fence, owner_id = ARGV[1], ARGV[2]

local stored = redis.call('HMGET', session, 'fence', 'ownerId')
if stored[1] ~= fence or stored[2] ~= owner_id then
  return { 'lease-lost' }
end

redis.call('HDEL', session, 'ownerId', 'owner', 'expiresAt')
return { 'released' }
