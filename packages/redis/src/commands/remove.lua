--[[
  Deletes a session that nobody holds, or the one that a live lease holds.

  KEYS[1]  hash  the session
  KEYS[2]  list  its journal
  KEYS[3]  hash  its blobs
  ARGV[1]  number  fence of the lease; empty: without one
  ARGV[2]  string  id of its owner; only with a lease

  Returns { 'removed', since }, where `since` names the session's row in the index, 0 when there was no session;
          { 'busy', owner, fence, since, expiresAt } while somebody holds it;
          { 'lease-lost' } when the lease has run out, or another owner has the session.
  Errors  none of its own.
]]
local session, journal, blobs = KEYS[1], KEYS[2], KEYS[3]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local stored = redis.call('HMGET', session, 'owner', 'fence', 'since', 'expiresAt', 'ownerId')
local holder, fence = stored[1], tonumber(stored[2] or 0)
local since, expires_at = tonumber(stored[3] or 0), tonumber(stored[4] or 0)

if ARGV[1] ~= '' then
  -- A session that is gone was removed by this very command, whose reply was lost.
  if stored[2] and (stored[2] ~= ARGV[1] or stored[5] ~= ARGV[2] or expires_at <= now) then
    return { 'lease-lost' }
  end
elseif expires_at > now then
  return { 'busy', holder, fence, since, expires_at }
end

redis.call('UNLINK', session, journal, blobs)
return { 'removed', since }
