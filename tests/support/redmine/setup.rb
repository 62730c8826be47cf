# Loads Redmine's default data into a freshly migrated database (not in db:migrate's own process: its column caches are
# stale there) and adds the little world that the integration tests know. Run once, at template time:
#   rails runner setup.rb
# All keys are constants of the tests, worth nothing outside a loopback Redmine.
KEYS = {'admin' => 'a' * 40, 'alice' => 'b' * 40, 'bob' => 'c' * 40, 'mallory' => 'd' * 40}.freeze

Redmine::DefaultData::Loader.load('en')

Setting.rest_api_enabled = '1'
Setting.text_formatting = ENV.fetch('REDMINE_TEXT_FORMATTING', 'textile') # or markdown, common_mark
Setting.default_language = 'en'
Setting.host_name = '127.0.0.1'
Setting.app_title = 'Redmine under test'
Setting.notified_events = [] # nobody gets mail

def give_key(user, key)
  Token.where(user_id: user.id, action: 'api').delete_all
  token = Token.create!(user: user, action: 'api')
  token.update_column(:value, key)
end

def make_user(login, firstname, lastname, status = User::STATUS_ACTIVE)
  user = User.new(firstname: firstname, lastname: lastname, mail: "#{login}@example.test", language: 'en', mail_notification: 'none')
  user.login = login
  user.password = user.password_confirmation = "#{login}-password"
  user.save!
  user.update_column(:status, status)
  user
end

admin = User.find_by!(login: 'admin')
admin.password = admin.password_confirmation = 'admin-password'
admin.must_change_passwd = false
admin.language = 'en'
admin.save!
give_key(admin, KEYS['admin'])

alice = make_user('alice', 'Alice', 'Archer')
bob = make_user('bob', 'Bob', 'Builder')
mallory = make_user('mallory', 'Mallory', 'Locked', User::STATUS_LOCKED)
[alice, bob, mallory].each { |user| give_key(user, KEYS[user.login]) }

trackers = Tracker.where(name: %w[Bug Feature Support]).sorted.to_a
modules = %w[issue_tracking time_tracking wiki]
manager = Role.find_by!(name: 'Manager')
developer = Role.find_by!(name: 'Developer')
# Debian's (that is Redmine's) default Developer may neither edit own notes nor see others' private ones: let him edit his own.
developer.add_permission!(:edit_own_issue_notes)

project = lambda do |identifier, name, is_public|
  Project.create!(identifier: identifier, name: name, is_public: is_public, trackers: trackers, enabled_module_names: modules)
end
ops = project.call('ops', 'Operations', false)
hidden = project.call('hidden', 'Hidden from alice and bob', false)
closed = project.call('closed', 'Closed project', false)
open_to_all = project.call('lobby', 'Lobby', true) # public, nobody is a member

member = ->(place, user, role) { Member.create!(project: place, principal: user, roles: [role]) }
[ops, closed].each do |place|
  member.call(place, alice, manager)
  member.call(place, bob, developer)
end
member.call(ops, mallory, developer)

# The required custom field is asked for in `ops` alone.
IssueCustomField.create!(name: 'Change reason', field_format: 'string', is_required: true, is_filter: true, searchable: true,
                         is_for_all: false, projects: [ops], trackers: trackers, min_length: 3, max_length: 100)
IssueCustomField.create!(name: 'Environment', field_format: 'list', possible_values: %w[staging production], is_required: false,
                         is_for_all: false, projects: [ops], trackers: trackers)

# A Developer must not close what is still New (the default workflow would let him).
new_status = IssueStatus.find_by!(name: 'New')
closed_status = IssueStatus.find_by!(name: 'Closed')
WorkflowTransition.where(role_id: developer.id, old_status_id: [0, new_status.id], new_status_id: closed_status.id).delete_all

issue = lambda do |place, author, attributes|
  User.current = author
  made = Issue.new(project: place, author: author)
  made.safe_attributes = {'tracker_id' => trackers[0].id, 'priority_id' => IssuePriority.default.id}.merge(attributes)
  made.save!
  made
end
reason = IssueCustomField.find_by!(name: 'Change reason').id.to_s
issue.call(ops, alice, 'subject' => 'Disk of db01 is full', 'description' => "The *root* volume.\n\nbc. df -h",
                       'assigned_to_id' => bob.id.to_s, 'custom_field_values' => {reason => 'incident'})
issue.call(ops, bob, 'subject' => 'Renew the TLS certificate', 'assigned_to_id' => alice.id.to_s,
                     'tracker_id' => trackers[2].id, 'custom_field_values' => {reason => 'expiry'})
issue.call(hidden, admin, 'subject' => 'Nobody may see this disk')
issue.call(closed, alice, 'subject' => 'Old disk story', 'assigned_to_id' => bob.id.to_s)
issue.call(open_to_all, admin, 'subject' => 'Public disk question')
User.current = nil
closed.reload.close

raise 'no activities' if TimeEntryActivity.active.empty?
