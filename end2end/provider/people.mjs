// The people who have an account at the provider: the same names as in the sandbox, so that one
// set of journeys serves both.

export const PASSWORD = "correct horse battery staple";

export const people = [
  {
    name: "Aisha Mohammed",
    email: "256240001@nileuniversity.edu.ng",
    role: "student",
    customRoles: [],
    academic: { student_id: "256240001", study_level: "undergraduate", level: 300, final_year: false },
  },
  {
    name: "Zainab Bello",
    email: "266240112@nileuniversity.edu.ng",
    role: "student",
    customRoles: ["editor"],
    // As a string: Campus One's own pages show both forms.
    academic: { student_id: "266240112", study_level: "undergraduate", level: "200", final_year: false },
  },
  {
    name: "Ngozi Eze",
    email: "ngozi.eze@nileuniversity.edu.ng",
    role: "staff",
    customRoles: ["unit_admin", "editor"],
    academic: null,
  },
];

/** What Campus One adds to the standard claims, by scope. */
export function extraClaims(user, scopes) {
  const person = people.find((candidate) => candidate.email === user.email);
  if (!person) return {};
  const claims = { role: person.role };
  if (scopes.includes("profile")) {
    claims.picture = null;
    claims.preferred_username = user.email.split("@")[0];
    claims.phone_number = "+2348035550101";
  }
  if (scopes.includes("roles")) {
    claims.custom_roles = person.customRoles;
    claims.roles = [person.role, ...person.customRoles];
  }
  if (scopes.includes("academic") && person.academic) {
    Object.assign(claims, person.academic, {
      faculty_id: "fac_computing",
      department_id: "dept_cs",
      academic_session: "2025/2026",
      semester: "harmattan",
    });
  }
  return claims;
}
